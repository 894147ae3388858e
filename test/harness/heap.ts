/** How much memory a value keeps, in full: also what its texts are parts of. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MiB = 1024 * 1024

/** MiB of heap that stay as long as what `make` returns; to a few MiB, since others use the heap too. */
export async function heapKeptBy(make: () => object | Promise<object>): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  const kept = [await make()]
  collect()
  const after = process.memoryUsage().heapUsed
  kept.pop() // until here it is used
  return (after - before) / MiB
}
