/** The services' side of the row `transfer`, in a process of its own: a simulated Cartd, and an Ingest that throws bytes away. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { startCartd } from '../../test/pacifica/cartd.ts'
import { listenOn } from '../../test/pacifica/listening.ts'

const [count, size] = process.argv.slice(3).map(Number) as [number, number]
const BLOCK = randomBytes(1024 * 1024)

async function* bytes(): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; left -= BLOCK.length) yield BLOCK.subarray(0, left)
}

const hash = createHash('sha1')
for await (const block of bytes()) hash.update(block)
const hashsum = hash.digest('hex')
const files = Array.from({ length: count }, (_, index) => ({
  id: index + 1,
  path: `run ${index % 10}/${index}.bin`,
  content: { size, bytes },
}))
const cartd = await startCartd(files)

const JOB = { job_id: 1, state: 'OK', task: 'ingest metadata', task_percent: '100.00000' }
const server = createServer((request, response) => {
  request.resume().on('end', () => response.end(JSON.stringify(JOB)))
})
const ingest = await listenOn(server)
console.log(
  JSON.stringify({
    cartd: cartd.url,
    ingest: ingest.url,
    files: files.map(({ id, path }) => ({ id, path, size, hashsum })),
  }),
)
