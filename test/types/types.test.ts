/**
 * `tsc -p test` says that each mistake in wrong-handlers.ts is refused. Here it is looked at why: a directive would also
 * hide a mistake that was not meant.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from '../house/imports.ts'

const run = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'pacifica-types-'))
afterAll(() => rm(folder, { recursive: true }))

const DIRECTIVE = /^ *\/\/ @ts-expect-error (\d+): /

/** Their code is compiled; in the reference that is what the examples in the sources' comments have become. */
const GUIDES = [
  'guides/from-the-python-dispatcher.md',
  'guides/handlers-in-any-language.md',
  'reference/core.md',
  'reference/jsonpath.md',
]

/** What the compiler says of the files in `folder`: `name.ts 12 2322`, sorted. */
async function mistakes(): Promise<string[]> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch((failed) => {
    if (typeof failed.stdout === 'string' && failed.stdout !== '') return failed
    throw failed
  })
  const found = [...String(stdout).matchAll(/^(?:.*\/)?([\w-]+\.ts)\((\d+),\d+\): error TS(\d+)/gm)]
  return found.map(([, file, line, code]) => `${file} ${line} ${code}`).sort()
}

/** Blocks of TypeScript that are whole files. Those that show a part of a file of ours are held to it elsewhere. */
async function codeIn(guide: string): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs', guide), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  return blocks.filter((code) => code.startsWith('import '))
}

test('the compiler refuses what is wrong with a handler for the reason given, and nothing that is right or in the guides', async () => {
  const wrong = await readFile(join(ROOT, 'test/types/wrong-handlers.ts'), 'utf8')
  const lines = wrong.split('\n')
  const expected = lines.flatMap((line, index) => {
    const code = DIRECTIVE.exec(line)?.[1]
    return code === undefined ? [] : [`wrong-handlers.ts ${index + 2} ${code}`]
  })
  expect(expected).toHaveLength(wrong.split('@ts-expect-error').length - 1)
  await writeFile(join(folder, 'wrong-handlers.ts'), wrong.replaceAll('@ts-expect-error', 'wrong'))
  await copyFile(join(ROOT, 'test/types/right-handlers.ts'), join(folder, 'right-handlers.ts'))
  const guides = await Promise.all(GUIDES.map(codeIn))
  for (const [index, code] of guides.flat().entries()) {
    await writeFile(join(folder, `guide-${index}.ts`), code)
  }
  expect(guides.map((blocks) => blocks.length > 0)).toEqual(GUIDES.map(() => true))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const config = { extends: join(ROOT, 'test/tsconfig.json'), include: ['*.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  expect(await mistakes()).toEqual(expected.sort())
}, 240_000)
