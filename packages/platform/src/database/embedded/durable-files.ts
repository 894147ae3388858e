/**
 * The files of the embedded engine on a real disk. PGlite asks for fsync when it is started without `-F`, but its own
 * file system then does nothing: emscripten's NODEFS has no fsync. Here it has one.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

type Emscripten = Parameters<NodeFS['init']>[1]

/** What of emscripten's inside we touch. */
interface NodeFsModule {
  readonly FS: { readonly ErrnoError: new (errno: number) => Error }
  readonly NODEFS: {
    realPath(node: unknown): string
    readonly stream_ops: { fsync?(stream: { nfd?: number; node: unknown }): number }
  }
}

/** Emscripten's number. PostgreSQL stops at a failed fsync, as it should. */
const EIO = 29

/** fdatasync does nothing in PGlite, and that is the default method. */
export const DURABLE_SETTINGS = { fsync: 'on', wal_sync_method: 'fsync' }

export class DurableFiles extends NodeFS {
  override async init(pg: PGlite, options: Emscripten): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pg, options)
    const preRun = [
      ...(emscriptenOpts.preRun ?? []),
      (module: unknown) => addFsync(module as NodeFsModule),
    ]
    return { emscriptenOpts: { ...emscriptenOpts, preRun } }
  }
}

function addFsync({ FS, NODEFS }: NodeFsModule) {
  NODEFS.stream_ops.fsync = ({ nfd, node }) => {
    try {
      if (nfd === undefined) syncPath(NODEFS.realPath(node))
      else fsyncSync(nfd)
    } catch {
      throw new FS.ErrnoError(EIO)
    }
    return 0
  }
}

/** A file, or a folder's list of names. */
function syncPath(path: string) {
  if (process.platform === 'win32') return // folders cannot be opened there
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Everything in `folder` reaches the disk. */
export async function syncFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) syncPath(join(entry.parentPath, entry.name))
  }
  syncPath(folder)
}
