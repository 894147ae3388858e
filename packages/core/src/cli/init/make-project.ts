/** Fills an empty folder from the templates, and puts the packages that it depends on into vendor/. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InitError } from '../errors.ts'
import { type Packed, packPackage } from './pack-package.ts'

const CORE = fileURLToPath(new URL('../../../', import.meta.url))
const TEMPLATES = join(CORE, 'templates')

export interface Project {
  readonly name: string
  /** Made unless it is there; must be empty. */
  readonly target: string
  readonly template: string
}

/** Returns the files made, sorted. Throws `InitError`. */
export async function makeProject({ name, target, template }: Project): Promise<string[]> {
  await refuseNonEmpty(target)
  const core = await packPackage(CORE)
  const jsonpath = await packPackage(await jsonpathFolder())
  const texts = { name, core: core.fileName, jsonpath: jsonpath.fileName }
  const files = new Map<string, string | Buffer>()
  for (const source of ['common', template]) {
    for (const [path, text] of await templateFiles(join(TEMPLATES, source))) {
      files.set(path, filled(text, texts))
    }
  }
  for (const packed of [core, jsonpath]) files.set(vendored(packed), packed.bytes)
  for (const [path, content] of files) {
    await mkdir(dirname(join(target, path)), { recursive: true })
    await writeFile(join(target, path), content, { flag: 'wx' })
  }
  return [...files.keys()].sort()
}

async function refuseNonEmpty(target: string): Promise<void> {
  const found = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new InitError(`${target} cannot be used: ${error.message}`, { cause: error })
  })
  if (found.length > 0) {
    throw new InitError(`${target} is not empty; give another name, or move away what is there`)
  }
}

async function jsonpathFolder(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@pacifica/jsonpath')
  return dirname(dirname(entry))
}

/** npm leaves out, or renames, files that begin with a dot: they are stored under `dot-…`. */
async function templateFiles(folder: string): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return await Promise.all(
    files.map(async ({ parentPath, name }): Promise<[string, string]> => {
      const path = join(parentPath, name)
      const place = path.slice(folder.length + 1).split(sep)
      return [place.map(dotted).join('/'), await readFile(path, 'utf8')]
    }),
  )
}

function dotted(name: string): string {
  return name.replace(/^dot-/, '.')
}

function filled(text: string, texts: Readonly<Record<string, string>>): string {
  return text.replaceAll(/__(NAME|CORE|JSONPATH)__/g, (_all, key: string) => {
    return texts[key.toLowerCase()] ?? ''
  })
}

function vendored({ fileName }: Packed): string {
  return `vendor/${fileName}`
}
