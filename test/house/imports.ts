/** Every import of every source file, and the table in docs/ARCHITECTURE.md that says which are allowed. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Room {
  /** Its folder from the root: `packages/core`. */
  readonly folder: string
  /** Folders of ours that it may import. */
  readonly rooms: readonly string[]
  /** Packages from the registry that it may import. */
  readonly packages: readonly string[]
}

export interface Import {
  readonly file: string
  readonly specifier: string
}

export const ROOT = new URL('../..', import.meta.url).pathname

/** Rows of the form: | `folder` | `room`, `room` | `package`, `package` |, below the heading. */
export async function readTable(): Promise<Room[]> {
  const text = await readFile(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8')
  const section = text.split('## Who may import whom')[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  return rows.map((row) => {
    const [, folder = '', rooms = '', packages = ''] = row.split('|')
    return { folder: quoted(folder)[0] ?? '', rooms: quoted(rooms), packages: quoted(packages) }
  })
}

export async function importsOf(folder: string): Promise<Import[]> {
  const names = await readdir(join(ROOT, folder, 'src'), { recursive: true })
  const files = names.filter((name) => /\.[jt]s$/.test(name) && !name.includes('generated'))
  const found = await Promise.all(files.map((name) => importsIn(join(folder, 'src', name))))
  return found.flat()
}

export function isTest(file: string): boolean {
  return /\.(test|contract)\.ts$/.test(file)
}

/** `@scope/name/deep` → `@scope/name`, `name/deep` → `name`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

async function importsIn(file: string): Promise<Import[]> {
  const text = await readFile(join(ROOT, file), 'utf8')
  const statements = text.matchAll(
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'|\brequire\('([^']+)'\)|\bcreateRequire\([^)]*\)\('([^']+)'\)/gm,
  )
  return [...statements].map(([, ...specifiers]) => ({
    file,
    specifier: specifiers.find((found) => found !== undefined) ?? '',
  }))
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '')
}
