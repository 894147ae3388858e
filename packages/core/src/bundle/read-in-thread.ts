/** Reads and hashes in a thread of its own, while the bytes before are on their way: for bundles that are worth a thread. */
import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BundleThreadEndedError } from './errors.ts'
import type { BundleFile } from './list-files.ts'
import type { FileRead, Filled, Wanted } from './read-files.ts'
import { checkUnchanged, type Ending } from './unchanged.ts'

const BUFFER = 1024 * 1024
const BUFFERS = 4

/** What the thread is given. */
export interface Task {
  readonly files: readonly {
    readonly location: string
    readonly size: number
    readonly room: number
  }[]
  /** The buffers, one behind the other. */
  readonly memory: SharedArrayBuffer
  readonly bufferBytes: number
  /** How many buffers the thread may fill. */
  readonly free: Int32Array<SharedArrayBuffer>
}

/** What the thread says of each buffer that it has filled; files come in their order. */
export interface Message {
  readonly buffer: number
  readonly used: number
  /** Where the rooms in it begin. */
  readonly rooms: readonly number[]
  /** Of the files that end in it. */
  readonly endings: readonly Ending[]
}

/** The same as `readFiles` gives, if differently cut. */
export async function* readInThread(wanted: readonly Wanted[]): AsyncGenerator<Filled> {
  const memory = new SharedArrayBuffer(BUFFER * BUFFERS)
  const free = new Int32Array(new SharedArrayBuffer(4)).fill(BUFFERS)
  const thread = startThread({ files: wanted.map(taskOf), memory, bufferBytes: BUFFER, free })
  try {
    const messages = on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[Message]>
    let done = 0
    for await (const [{ buffer, used, rooms, endings }] of messages) {
      const read = endings.map((ending, index) => fileRead(wanted[done + index]?.file, ending))
      yield { bytes: Buffer.from(memory, buffer * BUFFER, used), rooms, read }
      done += read.length
      if (done === wanted.length) return
      Atomics.add(free, 0, 1)
      Atomics.notify(free, 0)
    }
    throw new BundleThreadEndedError(done, wanted.length)
  } finally {
    await thread.terminate()
  }
}

function taskOf({ file: { location, size }, room }: Wanted): Task['files'][number] {
  return { location, size, room }
}

function fileRead(file: BundleFile | undefined, ending: Ending): FileRead {
  if (file === undefined) throw new TypeError('the thread read more files than it was given')
  checkUnchanged(file, ending)
  return { file, sha1: ending.sha1 }
}

function startThread(workerData: Task): Worker {
  // Nothing that was asked of the process itself, such as to load a module first, is meant for this thread.
  const options = { workerData, execArgv: [], env: {} }
  const thread = new Worker(new URL('./read-thread.js', import.meta.url), options)
  // Who iterates hears of an error; one that comes when nobody does any more must not end the process.
  return thread.on('error', () => undefined)
}
