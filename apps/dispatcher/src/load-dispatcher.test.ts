import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineDispatcher, NoopEventHandler } from '@pacifica/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkDispatcher, DispatcherModuleError, loadDispatcher } from './load-dispatcher.ts'

let folder: string

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modules-'))
  const good = 'export default { name: "mine", router: { match() {}, findRoute() {} } }'
  await write('good.mjs', good)
  await write('node_modules/my-dispatcher/package.json', '{"name":"my-dispatcher","main":"x.mjs"}')
  await write('node_modules/my-dispatcher/x.mjs', good)
  await write('project/package.json', '{"exports":{".":{"default":"./out/main.mjs"}}}')
  await write('project/out/main.mjs', good)
  await write('unbuilt/package.json', '{"main":"dist/index.js"}')
  await write('empty/notes.txt', '')
  await write('none.mjs', 'export const name = "mine"')
  await write('throws.mjs', 'throw new Error("no licence")')
  await write('lacks.mjs', 'import "not-installed-anywhere"')
})
afterAll(() => rm(folder, { recursive: true }))

test.each(['./good.mjs', './project', 'my-dispatcher'])(
  'the module %s is found from the working folder',
  async (module) => {
    expect((await loadDispatcher(module, folder)).name).toBe('mine')
  },
)

test('absolute paths and file URLs are taken too', async () => {
  const path = join(folder, 'good.mjs')
  expect((await loadDispatcher(path, '/')).name).toBe('mine')
  expect((await loadDispatcher(pathToFileURL(path).href, '/')).name).toBe('mine')
})

test.each([
  ['./missing.mjs', 'missing.mjs is not there'],
  ['./unbuilt', 'unbuilt/dist/index.js is not there: build the project first'],
  ['./empty', 'empty/package.json is not there; name the module'],
  ['no-such-package', 'cannot be loaded'],
  ['./throws.mjs', 'no licence'],
  ['./lacks.mjs', 'not-installed-anywhere'],
  ['./none.mjs', 'defineDispatcher({ name, routes })'],
])('the module %s ends the start with the reason', async (module, reason) => {
  const loading = loadDispatcher(module, folder)
  await expect(loading).rejects.toThrow(DispatcherModuleError)
  await expect(loading).rejects.toThrow(reason)
  await expect(loading).rejects.toThrow(module)
})

test('a dispatcher must have a name that a queue can have', () => {
  const handler = new NoopEventHandler()
  const good = defineDispatcher({ name: 'mine', routes: [{ path: '$', handler }] })
  expect(checkDispatcher(good, 'here')).toBe(good)
  expect(() => checkDispatcher({ ...good, name: 'No Name' }, 'here')).toThrow(/^here: its name/)
})
