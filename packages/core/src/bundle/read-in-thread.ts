/** Reads and hashes in a thread of its own, while the bytes before are on their way: for bundles that are worth a thread. */
import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BundleThreadEndedError } from './errors.ts'
import type { BundleFile } from './list-files.ts'
import type { FilePart } from './read-files.ts'
import { checkUnchanged, type Ending } from './unchanged.ts'

const BUFFER = 1024 * 1024
const BUFFERS = 4

/** What the thread is given. */
export interface Task {
  readonly files: readonly { readonly location: string; readonly size: number }[]
  /** The buffers, one behind the other. */
  readonly memory: SharedArrayBuffer
  readonly bufferBytes: number
  /** How many buffers the thread may fill. */
  readonly free: Int32Array<SharedArrayBuffer>
}

/** Bytes of one file in the buffer that they came with; files come in their order. */
export interface Part {
  readonly from: number
  readonly to: number
  /** With the file's last part. */
  readonly end: Ending | undefined
}

interface Message {
  readonly buffer: number
  readonly parts: readonly Part[]
}

/** The same parts as `readFiles` gives, if differently cut. */
export async function* readInThread(files: readonly BundleFile[]): AsyncGenerator<FilePart> {
  const memory = new SharedArrayBuffer(BUFFER * BUFFERS)
  const free = new Int32Array(new SharedArrayBuffer(4)).fill(BUFFERS)
  const thread = startThread({ files: files.map(wantedOf), memory, bufferBytes: BUFFER, free })
  try {
    const messages = on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[Message]>
    let index = 0
    for await (const [{ buffer, parts }] of messages) {
      for (const { from, to, end } of parts) {
        const file = files[index] as BundleFile
        if (end !== undefined) checkUnchanged(file, end)
        yield {
          file,
          bytes: Buffer.from(memory, buffer * BUFFER + from, to - from),
          sha1: end?.sha1,
        }
        if (end !== undefined) index += 1
      }
      if (index === files.length) return
      Atomics.add(free, 0, 1)
      Atomics.notify(free, 0)
    }
    throw new BundleThreadEndedError(index, files.length)
  } finally {
    await thread.terminate()
  }
}

function wantedOf({ location, size }: BundleFile): Task['files'][number] {
  return { location, size }
}

function startThread(workerData: Task): Worker {
  // Nothing that was asked of the process itself, such as to load a module first, is meant for this thread.
  const options = { workerData, execArgv: [], env: {} }
  const thread = new Worker(new URL('./read-thread.js', import.meta.url), options)
  // Who iterates hears of an error; one that comes when nobody does any more must not end the process.
  return thread.on('error', () => undefined)
}
