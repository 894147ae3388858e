/** Reads the parts of a Dockerfile that ours uses. What it does not know it refuses, so that nothing is passed over. */
import { readFile } from 'node:fs/promises'

export interface Step {
  readonly instruction: string
  /** What stands behind it, continued lines joined. */
  readonly text: string
}

export interface Stage {
  readonly from: string
  readonly name: string | undefined
  readonly steps: readonly Step[]
}

export interface Copy {
  /** A stage; undefined for the build context. */
  readonly from: string | undefined
  readonly sources: readonly string[]
  readonly target: string
}

const KNOWN =
  /^(FROM|ARG|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD)\s+(.*)$/

export async function readDockerfile(path: string): Promise<Stage[]> {
  const text = (await readFile(path, 'utf8')).replace(/^#.*\n/gm, '').replaceAll('\\\n', ' ')
  const stages: { from: string; name: string | undefined; steps: Step[] }[] = []
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, instruction = '', rest = ''] = KNOWN.exec(line) ?? []
    if (instruction === '') throw new Error(`${path}: not understood: ${line}`)
    if (instruction === 'FROM') {
      const [from = '', , name] = rest.split(/\s+/)
      stages.push({ from, name, steps: [] })
    } else stages.at(-1)?.steps.push({ instruction, text: rest })
  }
  return stages
}

export function copyOf({ text }: Step): Copy {
  const [, from, rest = text] = /^--from=(\S+)\s+(.*)$/.exec(text) ?? []
  const words = rest.split(/\s+/)
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' }
}

/** `["node", "x"]`: the form that starts no shell. */
export function wordsOf(text: string): string[] {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words)) throw new Error(`not the exec form: ${text}`)
  return words.map(String)
}

/** What the last stage says of the container. */
export function containerOf(stages: readonly Stage[]) {
  const { steps } = stages.at(-1) ?? { steps: [] }
  const said = (instruction: string) =>
    steps.filter((step) => step.instruction === instruction).map(({ text }) => text)
  const env = said('ENV').flatMap((text) => text.split(/\s+/).map((pair) => pair.split('=')))
  const [, healthcheck = ''] = /\bCMD (.*)$/.exec(said('HEALTHCHECK')[0] ?? '') ?? []
  return {
    env: Object.fromEntries(env) as Record<string, string>,
    user: said('USER').at(-1),
    volumes: said('VOLUME'),
    ports: said('EXPOSE').flatMap((text) => text.split(/\s+/).map(Number)),
    entrypoint: wordsOf(said('ENTRYPOINT').at(-1) ?? ''),
    command: wordsOf(said('CMD').at(-1) ?? ''),
    healthcheck: wordsOf(healthcheck),
  }
}
