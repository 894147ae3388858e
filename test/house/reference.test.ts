/** docs/reference is made from the sources: `npm run reference` writes it anew. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from './imports.ts'

const run = promisify(execFile)
const REFERENCE = join(ROOT, 'docs/reference')
const made = await mkdtemp(join(tmpdir(), 'pacifica-reference-'))
afterAll(() => rm(made, { recursive: true }))

const pagesIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.md')).sort()

test('all that authors can import is documented, and the reference shows it as it is', async () => {
  await run(process.execPath, [join(REFERENCE, 'write.mjs'), made])
  expect(await pagesIn(made)).toEqual(await pagesIn(REFERENCE))
  for (const page of await pagesIn(made)) {
    const text = await readFile(join(REFERENCE, page), 'utf8')
    expect(text, `${page} is old: npm run reference`).toBe(await readFile(join(made, page), 'utf8'))
  }
})
