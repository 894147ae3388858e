import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const ROOT = new URL('../../../', import.meta.url)

test('the guide shows this code as it is', async () => {
  const guide = await readFile(new URL('docs/guides/handlers-in-any-language.md', ROOT), 'utf8')
  const blocks = [...guide.matchAll(/```\w+\n(?:\/\/|#) (examples\S+)\n([\s\S]*?)```/g)]
  expect(blocks).toHaveLength(3)
  for (const [, path = '', code = ''] of blocks) {
    expect(await readFile(new URL(path, ROOT), 'utf8')).toContain(code.trim())
  }
})

test('the guide lists every option of CommandHandler, and what keeps a program from starting', async () => {
  const guide = await readFile(new URL('docs/guides/handlers-in-any-language.md', ROOT), 'utf8')
  const [, table = ''] = guide.split('| option | unless given | |\n|---|---|---|\n')
  const rows = table.split('\n\n')[0]?.split('\n') ?? []
  const reference = await readFile(new URL('docs/reference/core.md', ROOT), 'utf8')
  const section = reference.split('\n### CommandOptions\n')[1]?.split('\n### ')[0] ?? ''
  const options = [...section.matchAll(/^\| `(\w+)\?` /gm)].map(([, name]) => name)
  expect(options.length).toBeGreaterThan(10)
  expect(rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1]).sort()).toEqual(options.sort())

  const source = 'packages/core/src/handlers/command/why-not-started.ts'
  const reasons = await readFile(new URL(source, ROOT), 'utf8')
  const [, errors = ''] = guide.split('| the error says | do |\n|---|---|\n')
  const told = errors.split('\n\n')[0]?.split('\n') ?? []
  expect(told).toHaveLength(4)
  for (const row of told) {
    const parts = /^\| `([^`]+)` \|/.exec(row)?.[1]?.split(' … ') ?? [row]
    for (const part of parts) expect(reasons).toContain(part)
  }
})
