/**
 * Installs a project outside this repository with the versions of our own lock file, so that nothing is asked of the
 * registry but what `npm ci` has brought into npm's cache already. Where that cache is gone, and the registry away or slow,
 * the same packages are copied from our own node_modules.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
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

interface Found {
  readonly entry: Locked
  /** In our repository; a tarball of ours has none. */
  readonly source?: string
}

/** How long npm may take: without its cache it would try for minutes to reach a registry that is away. */
const NPM_MS = 120_000
const REGISTRY_AWAY =
  /\b(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|E40[134]|E429|E5\d\d|network)\b/

/** `npm ci` in `folder`, whose package.json names tarballs of ours by `file:` and everything else by our versions. */
export async function installPackage(folder: string): Promise<void> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const found = await lockedFor(folder, manifest, packages)
  const entries = Object.entries(found).map(([path, { entry }]) => [path, entry] as const)
  const lock = {
    ...{ name: manifest.name, version: manifest.version, lockfileVersion: 3, requires: true },
    packages: { '': manifest, ...Object.fromEntries(entries) },
  }
  await writeFile(join(folder, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
  const offline = ['--prefer-offline', '--fetch-retries=1']
  const words = ['ci', '--ignore-scripts', ...offline, '--no-audit', '--no-fund']
  await npm(folder, words, NPM_MS).catch(async (error: { killed?: boolean; stderr?: string }) => {
    if (error.killed !== true && !REGISTRY_AWAY.test(error.stderr ?? '')) throw error
    await copyInstalled(folder, found)
  })
}

/** Resolves to what it wrote to standard output. */
export async function npm(folder: string, words: readonly string[], timeout = 0): Promise<string> {
  // Else npm would ask now and then whether there is a newer one of itself.
  const env = { ...process.env, npm_config_update_notifier: 'false' }
  const limits = { timeout, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await run('npm', words, { cwd: folder, env, ...limits })
  return stdout
}

/** As npm would put them there: each in its place, and their commands. */
async function copyInstalled(folder: string, found: Readonly<Record<string, Found>>) {
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true })
  for (const [path, { entry, source }] of Object.entries(found)) {
    const target = join(folder, path)
    await mkdir(target, { recursive: true })
    if (source === undefined) {
      const pack = join(folder, String(entry['resolved']).slice('file:'.length))
      await run('tar', ['xzf', pack, '--strip-components=1', '-C', target])
    } else if (await isThere(join(ROOT, source))) {
      await cp(join(ROOT, source), target, { recursive: true, force: true })
    }
    const { bin = {} } = entry as { bin?: Readonly<Record<string, string>> }
    for (const [name, program] of Object.entries(bin)) {
      const link = join(folder, 'node_modules/.bin', name)
      const toProgram = join('..', path.slice('node_modules/'.length), program)
      // Another platform's package, or a command of the same name, is none.
      const mayBe = (await isThere(join(target, program))) && !(await isThere(link))
      if (mayBe && path.lastIndexOf('node_modules/') === 0) await symlink(toProgram, link)
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function lockedFor(
  folder: string,
  { dependencies = {}, devDependencies = {} }: Manifest,
  packages: Packages,
): Promise<Record<string, Found>> {
  const locked: Record<string, Found> = {}
  const wanted = { ...dependencies, ...devDependencies }
  for (const [name, spec] of Object.entries(wanted)) {
    const path = spec.startsWith('file:') ? spec.slice('file:'.length) : undefined
    if (path !== undefined) {
      const own = ownPackage(name, packages)
      const integrity = await integrityOf(join(folder, path))
      const entry = { ...(await lockedAs(own)), resolved: spec, integrity }
      locked[`node_modules/${name}`] = { entry }
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

function addDependencies(path: string, packages: Packages, locked: Record<string, Found>): void {
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
  locked: Record<string, Found>,
): void {
  const path = placesUpFrom(from).find((place) => packages[`${place}node_modules/${name}`])
  if (path === undefined) return
  const found = `${path}node_modules/${name}`
  const target = found.slice(found.indexOf('node_modules/'))
  if (locked[target] !== undefined) return
  const { dev: _dev, devOptional: _also, ...kept } = packages[found] as Locked
  locked[target] = { entry: kept, source: found }
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
