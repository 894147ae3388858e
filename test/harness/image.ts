/**
 * The image without Docker: a folder that is filled as the Dockerfile says, with what it copies and nothing else. Its
 * commands are really run, but for those of npm that ask the registry: what they install is linked from this tree.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { containerOf, copyOf, readDockerfile, type Stage } from './dockerfile.ts'
import { readDockerignore } from './dockerignore.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

export interface Image {
  /** What is /app in the container. */
  readonly app: string
  readonly container: ReturnType<typeof containerOf>
  /** Every file in it, by its path from `app`. */
  files(): Promise<string[]>
  remove(): Promise<void>
}

export async function buildImage(): Promise<Image> {
  const stages = await readDockerfile(join(ROOT, 'Dockerfile'))
  const ignored = await readDockerignore(join(ROOT, '.dockerignore'))
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-image-'))
  await fillAll(stages, folder, ignored).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  const app = join(folder, 'image', 'app')
  return {
    app,
    container: containerOf(stages),
    async files() {
      const all = await readdir(app, { recursive: true })
      return all.sort()
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function fillAll(
  stages: readonly Stage[],
  folder: string,
  ignored: Filling['ignored'],
): Promise<void> {
  const folders = new Map<string, string>()
  for (const [index, stage] of stages.entries()) {
    const root = join(folder, stage.name ?? 'image')
    folders.set(stage.name ?? String(index), root)
    await mkdir(join(root, 'app'), { recursive: true })
    await fill(stage, { root, ignored, folders })
  }
}

interface Filling {
  readonly root: string
  readonly ignored: (file: string) => boolean
  readonly folders: ReadonlyMap<string, string>
}

async function fill(stage: Stage, filling: Filling): Promise<void> {
  const { root, folders } = filling
  for (const step of stage.steps) {
    if (step.instruction === 'RUN') await act(step.text, join(root, 'app'))
    if (step.instruction !== 'COPY') continue
    const { from, sources, target } = copyOf(step)
    for (const source of sources) {
      const into = join(root, 'app', target)
      if (from === undefined) await copyFromContext(source, into, filling.ignored)
      else await link(join(folders.get(from) ?? '', source), into)
    }
  }
}

/** A folder's content goes into the target; a file goes under its name into a target that ends with a slash. */
async function copyFromContext(
  source: string,
  target: string,
  ignored: (file: string) => boolean,
): Promise<void> {
  const from = join(ROOT, source)
  if (ignored(source)) throw new Error(`COPY ${source}: .dockerignore leaves it out`)
  const isFolder = (await stat(from)).isDirectory()
  const to =
    isFolder || !/\/$|\.$/.test(target) ? target : join(target, relative(dirname(from), from))
  await mkdir(dirname(to), { recursive: true })
  const filter = (path: string) => path === from || !ignored(relative(ROOT, path))
  await cp(from, to, { recursive: true, filter, verbatimSymlinks: true })
}

/** Hard links: nothing is written into what is copied so. Where that cannot be, copies. */
async function link(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await run('cp', ['-al', from, to]).catch(async () => {
    await rm(to, { recursive: true, force: true })
    await run('cp', ['-a', from, to])
  })
}

async function act(command: string, app: string): Promise<void> {
  if (command === 'npm ci --ignore-scripts') return await install(app)
  if (command === 'npm run build:quiet') return await shell(command, app)
  if (command.startsWith('npm prune ')) return await prune(command, app)
  if (/^rm -rf( [a-z*]+(\/[a-z*]+)*)+$/.test(command)) return await shell(command, app)
  // The user and the folder of its own: here everything is done as who runs the tests.
  if (/^useradd .* pacifica && install -d .* \/data$/.test(command)) return
  throw new Error(`Dockerfile: RUN ${command}: not understood`)
}

async function shell(command: string, cwd: string): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  await run('sh', ['-c', command], { cwd, env })
}

interface Lock {
  readonly packages: Record<
    string,
    { dev?: true; devOptional?: true; optional?: true; peer?: true; link?: true; resolved?: string }
  >
}

async function readLock(app: string): Promise<Lock['packages']> {
  const lock: Lock = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'))
  return lock.packages
}

/** Every workspace needs its manifest, or `npm ci` ends; each node_modules is linked from this tree. */
async function install(app: string): Promise<void> {
  const packages = await readLock(app)
  const workspaces = Object.values(packages).flatMap(({ link, resolved }) =>
    link && resolved !== undefined ? [resolved] : [],
  )
  for (const folder of ['', ...workspaces]) {
    await stat(join(app, folder, 'package.json'))
    const modules = join(ROOT, folder, 'node_modules')
    const isThere = await stat(modules).then(
      () => true,
      () => false,
    )
    if (isThere) await link(modules, join(app, folder, 'node_modules'))
  }
}

const OMITS = '--omit=dev --omit=optional --omit=peer'

/** As npm does it, by what the lock file says of each package. */
async function prune(command: string, app: string): Promise<void> {
  if (!command.includes(OMITS)) throw new Error(`Dockerfile: ${command}: expected ${OMITS}`)
  for (const [path, { dev, devOptional, optional, peer }] of Object.entries(await readLock(app)))
    if (dev || devOptional || optional || peer)
      await rm(join(app, path), { recursive: true, force: true })
  await rm(join(app, 'node_modules/.bin'), { recursive: true, force: true })
}
