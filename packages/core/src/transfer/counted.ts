import type { TransferOptions, Watch } from './deadline.ts'

/** The same bytes; each chunk that is taken counts as progress of the transfer. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  total: number,
  watch: Watch,
  { onProgress }: TransferOptions,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    yield chunk
    bytes += chunk.length
    watch.moved()
    onProgress?.({ bytes, total })
  }
}
