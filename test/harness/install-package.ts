/**
 * Installs a project outside this repository with the versions of our own lock file, so that nothing is asked of the
 * registry but what `npm ci` has brought into npm's cache already.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

interface Locked {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly [more: string]: unknown
}
type Packages = Readonly<Record<string, Locked>>

interface Manifest extends Locked {
  readonly name: string
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** `npm ci` in `folder`, whose package.json names tarballs of ours by `file:` and everything else by our versions. */
export async function installPackage(folder: string): Promise<void> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const lock = {
    ...{ name: manifest.name, version: manifest.version, lockfileVersion: 3, requires: true },
    packages: { '': manifest, ...(await lockedFor(folder, manifest, packages)) },
  }
  await writeFile(join(folder, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
  const words = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await npm(folder, words)
}

/** Resolves to what it wrote to standard output. */
export async function npm(folder: string, words: readonly string[]): Promise<string> {
  // Else npm would ask now and then whether there is a newer one of itself.
  const env = { ...process.env, npm_config_update_notifier: 'false' }
  const { stdout } = await run('npm', words, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

async function lockedFor(
  folder: string,
  { dependencies = {}, devDependencies = {} }: Manifest,
  packages: Packages,
): Promise<Record<string, Locked>> {
  const locked: Record<string, Locked> = {}
  const wanted = { ...dependencies, ...devDependencies }
  for (const [name, spec] of Object.entries(wanted)) {
    const path = spec.startsWith('file:') ? spec.slice('file:'.length) : undefined
    if (path !== undefined) {
      const own = ownPackage(name, packages)
      const integrity = await integrityOf(join(folder, path))
      locked[`node_modules/${name}`] = { ...(await lockedAs(own)), resolved: spec, integrity }
      addDependencies(own, packages, locked)
    } else addPackage(name, '', packages, locked)
  }
  return locked
}

/** The folder of one of our workspaces. */
function ownPackage(name: string, packages: Packages): string {
  const found = Object.keys(packages).find((path) => packages[path]?.['name'] === name)
  if (found === undefined) throw new Error(`there is no workspace ${name}`)
  return found
}

/** What npm notes of a package that it has unpacked. */
async function lockedAs(folder: string): Promise<Locked> {
  const manifest: Locked = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'))
  const { version = '', dependencies = {}, bin = {}, engines = {} } = manifest
  return { version, dependencies, bin, engines }
}

function addDependencies(path: string, packages: Packages, locked: Record<string, Locked>): void {
  const { dependencies = {}, optionalDependencies = {} } = packages[path] ?? {}
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (!name.startsWith('@pacifica/')) addPackage(name, path, packages, locked)
  }
}

/** Where Node finds it from `from`: beside it, or in a node_modules further up. */
function addPackage(
  name: string,
  from: string,
  packages: Packages,
  locked: Record<string, Locked>,
): void {
  const path = placesUpFrom(from).find((place) => packages[`${place}node_modules/${name}`])
  if (path === undefined) return
  const found = `${path}node_modules/${name}`
  const target = found.slice(found.indexOf('node_modules/'))
  if (locked[target] !== undefined) return
  const { dev: _dev, devOptional: _also, ...kept } = packages[found] as Locked
  locked[target] = kept
  addDependencies(found, packages, locked)
}

/** `a/node_modules/b` → `a/node_modules/b/`, `a/`, ''. */
function placesUpFrom(from: string): string[] {
  if (from === '') return ['']
  const above = from.lastIndexOf('node_modules/')
  return [`${from}/`, ...placesUpFrom(above <= 0 ? '' : from.slice(0, above - 1))]
}

async function integrityOf(path: string): Promise<string> {
  return `sha512-${createHash('sha512')
    .update(await readFile(path))
    .digest('base64')}`
}
