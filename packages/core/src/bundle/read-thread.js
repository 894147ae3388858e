/**
 * The thread of read-in-thread.ts: reads the files one after the other into shared buffers and hashes them on the way.
 * Plain JavaScript, because a thread is started from a file, also where TypeScript runs from source. It imports nothing
 * of ours for the same reason.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

/** @type {import('./read-in-thread.ts').Task} */
const { files, memory, bufferBytes, free } = workerData
const buffers = memory.byteLength / bufferBytes
/** So much is read and hashed at a time: the processor's own cache holds it. */
const PIECE = 256 * 1024

let turn = 0
let used = 0
/** @type {number[]} */
let rooms = []
/** @type {import('./unchanged.ts').Ending[]} */
let endings = []

function handOver() {
  parentPort?.postMessage({ buffer: turn % buffers, used, rooms, endings })
}

/** The other side takes what is there; goes on when the next buffer is free. */
function nextBuffer() {
  handOver()
  Atomics.sub(free, 0, 1)
  while (Atomics.load(free, 0) === 0) Atomics.wait(free, 0, 0)
  turn += 1
  used = 0
  rooms = []
  endings = []
}

/** @param {number} room */
function leave(room) {
  if (bufferBytes - used < room) nextBuffer()
  rooms.push(used)
  used += room
}

/** @param {import('./read-in-thread.ts').Task['files'][number]} file */
function readFile({ location, size }) {
  const descriptor = openSync(location, 'r')
  try {
    const hash = createHash('sha1')
    let done = 0
    while (done < size) {
      if (used === bufferBytes) nextBuffer()
      const most = Math.min(bufferBytes - used, size - done, PIECE)
      const bytes = Buffer.from(memory, (turn % buffers) * bufferBytes + used, most)
      const count = readSync(descriptor, bytes)
      if (count === 0) break
      hash.update(bytes.subarray(0, count))
      used += count
      done += count
    }
    const { size: now, mtime } = fstatSync(descriptor)
    endings.push({ read: done, size: now, modified: mtime.getTime(), sha1: hash.digest('hex') })
  } finally {
    closeSync(descriptor)
  }
}

for (const file of files) {
  leave(file.room)
  readFile(file)
}
handOver()
