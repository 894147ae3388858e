import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packPackage } from './pack-package.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-init-'))
})
afterAll(() => rm(root, { recursive: true }))

async function plant(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, folder, path, '..'), { recursive: true })
    await writeFile(join(root, folder, path), content)
  }
}

test('a package is packed with what its manifest names, and the same each time', async () => {
  const manifest = JSON.stringify({ name: '@x/y', version: '1.2.3', files: ['bin', 'dist'] })
  const kept = { 'package.json': manifest, 'README.md': '#', 'bin/y.js': '1', 'dist/a/b.js': '2' }
  await plant('package', { ...kept, 'src/a.ts': '3', 'tsconfig.json': '{}' })
  const { fileName, bytes } = await packPackage(join(root, 'package'))
  expect(fileName).toBe('x-y-1.2.3.tgz')
  expect((await packPackage(join(root, 'package'))).bytes).toEqual(bytes)
  const archive = Readable.from([bytes]).pipe(createGunzip()).pipe(extract())
  const members: Record<string, string> = {}
  for await (const entry of archive) {
    members[entry.header.name] = await text(entry as AsyncIterable<Buffer>)
  }
  const expected = Object.entries(kept).map(([path, content]) => [`package/${path}`, content])
  expect(members).toEqual(Object.fromEntries(expected))
})

test('what is not built cannot be packed', async () => {
  await plant('unbuilt', {
    'package.json': JSON.stringify({ name: 'z', version: '1.0.0', files: ['dist'] }),
  })
  const packed = packPackage(join(root, 'unbuilt'))
  await expect(packed).rejects.toMatchObject({ code: 'CLI_INIT' })
  await expect(packed).rejects.toThrow('npm run build')
})

test('a new project is built with the tools that this one is built with', async () => {
  const read = async (path: string) =>
    JSON.parse(await readFile(new URL(`../../../../../${path}`, import.meta.url), 'utf8'))
  const { devDependencies: ours } = await read('package.json')
  const template = await read('packages/core/templates/typescript/package.json')
  const { typescript } = ours
  expect(template.devDependencies).toEqual({ '@types/node': ours['@types/node'], typescript })
})
