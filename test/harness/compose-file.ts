/** Reads docker-compose.yml: the parts that ours uses, with its variables filled in. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '../..')

export interface ComposeService {
  readonly image: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly ports?: readonly string[]
  readonly restart?: string
  readonly init?: boolean
  readonly read_only?: boolean
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: {
    readonly replicas?: number
    readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string } }
  }
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, null>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

/** What follows `node`. */
export interface Program {
  readonly nodeArgs: readonly string[]
  readonly entry: string
  readonly args: readonly string[]
}

export function programOf(words: readonly string[]): Program {
  const at = words.findIndex((word) => !word.startsWith('-'))
  return { nodeArgs: words.slice(0, at), entry: words[at] ?? '', args: words.slice(at + 1) }
}

export function composeText(): Promise<string> {
  return readFile(join(ROOT, 'docker-compose.yml'), 'utf8')
}

/** @throws as `docker compose` does, when a variable that must be set is not */
export async function readCompose(env: Readonly<Record<string, string>>): Promise<ComposeFile> {
  const reviver = (_key: unknown, value: unknown) =>
    typeof value === 'string' ? value.replace(VARIABLE, fill(env)) : value
  return parse(await composeText(), reviver, { merge: true })
}

/** `${NAME}`, `${NAME:-default}`, `${NAME:?what is wrong}`. */
export const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g

function fill(env: Readonly<Record<string, string>>) {
  return (_all: string, name: string, kind: string | undefined, rest = ''): string => {
    const value = env[name]
    if (value !== undefined && value !== '') return value
    if (kind === '?') throw new Error(`${name} ${rest}`)
    return kind === '-' ? rest : ''
  }
}
