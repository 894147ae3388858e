import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const ROOT = new URL('../../../', import.meta.url)

test.each([
  ['your-first-handler.md', 4],
  ['test-a-handler.md', 4],
])('%s shows code as it is', async (name, count) => {
  const guide = await readFile(new URL(`docs/guides/${name}`, ROOT), 'utf8')
  const blocks = [...guide.matchAll(/```ts\n\/\/ ((?:examples|packages|apps)\S+)\n([\s\S]*?)```/g)]
  expect(blocks).toHaveLength(count)
  for (const [, path = '', code = ''] of blocks) {
    expect(await readFile(new URL(path, ROOT), 'utf8')).toContain(code.trim())
  }
})
