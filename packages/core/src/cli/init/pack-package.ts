/**
 * A package of ours as `npm pack` makes it, from the checkout or from where it is installed: without npm, which may not
 * be at hand, asks for its cache, and is another program on every system.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { InitError } from '../errors.ts'

export interface Packed {
  /** Such as `pacifica-core-0.1.0.tgz`. */
  readonly fileName: string
  readonly bytes: Buffer
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly files: readonly string[]
}

/** The same for any run: npm keeps a tarball's hash in the author's lock file. */
const MTIME = new Date('1985-10-26T08:15:00Z')

/** Throws `InitError` when the package is not built. */
export async function packPackage(folder: string): Promise<Packed> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { name, version } = manifest
  const archive = pack()
  const packed = buffer(archive.pipe(createGzip()))
  for (const path of await filesOf(folder, manifest)) {
    const mode = path.startsWith('bin/') ? 0o755 : 0o644
    archive.entry(
      { name: `package/${path}`, mtime: MTIME, mode },
      await readFile(join(folder, path)),
    )
  }
  archive.finalize()
  return {
    fileName: `${name.replace('@', '').replace('/', '-')}-${version}.tgz`,
    bytes: await packed,
  }
}

/** What npm would take: the manifest, what its `files` name, and the papers. */
async function filesOf(folder: string, { name, files }: Manifest): Promise<string[]> {
  const papers = (await readdir(folder)).filter((found) => /^(readme|licen[cs]e)\b/i.test(found))
  const listed = await Promise.all(files.map((place) => filesBelow(folder, place)))
  if (listed.some((found) => found.length === 0)) {
    throw new InitError(`${name} in ${folder} is not built: run npm run build there first`)
  }
  return ['package.json', ...papers, ...listed.flat()].sort()
}

async function filesBelow(folder: string, place: string): Promise<string[]> {
  const root = join(folder, place)
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .map((path) => path.split(sep).filter(Boolean).join('/'))
}
