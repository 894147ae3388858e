import { readdir, readFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { type Import, importsOf, isTest, packageOf, ROOT, type Room, readTable } from './imports.ts'

const table = await readTable()
const roomByPackage = new Map<string, string>()
for (const room of table) roomByPackage.set((await manifest(room)).name, room.folder)

interface Manifest {
  readonly name: string
  readonly dependencies?: Record<string, string>
}

async function manifest(room: Room): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, room.folder, 'package.json'), 'utf8'))
}

test('the table names every room of the house', async () => {
  const folders = await Promise.all(
    ['packages', 'apps', 'examples'].map(async (kind) =>
      (await readdir(join(ROOT, kind))).map((name) => `${kind}/${name}`),
    ),
  )
  expect(table.map((room) => room.folder).sort()).toEqual(folders.flat().sort())
})

test.each(table.map((room) => [room.folder, room] as const))(
  '%s imports what the table allows, and nothing else',
  async (_folder, room) => {
    const forbidden = (await importsOf(room.folder)).filter((found) => !allowed(room, found))
    expect(forbidden).toEqual([])
  },
)

test.each(table.map((room) => [room.folder, room] as const))(
  '%s declares each dependency that it imports, and no other',
  async (_folder, room) => {
    const imports = (await importsOf(room.folder)).filter(({ file }) => !isTest(file))
    const used = imports
      .map(({ specifier }) => specifier)
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    const declared = Object.keys((await manifest(room)).dependencies ?? {}).sort()
    const generated = declared.includes('@prisma/client') ? ['@prisma/client'] : []
    const byName = declared.filter((name) => name === '@pacifica/example-uppercase')
    expect([...new Set([...used.map(packageOf), ...generated, ...byName])].sort()).toEqual(declared)
  },
)

/** Tests may also use the test tools and the harness. */
const TEST_TOOLS = ['vitest', 'fast-check', 'tar-stream', 'json-p3']

function allowed(room: Room, { file, specifier }: Import): boolean {
  if (specifier.includes('${')) return isTest(file)
  if (specifier.startsWith('.')) return staysIn(room, file, specifier)
  if (specifier.startsWith('node:')) return room.folder !== 'packages/jsonpath' || isTest(file)
  const name = packageOf(specifier)
  if (isTest(file) && TEST_TOOLS.includes(name)) return true
  const ours = roomByPackage.get(name)
  return ours === undefined ? room.packages.includes(name) : room.rooms.includes(ours)
}

function staysIn(room: Room, file: string, specifier: string): boolean {
  const target = normalize(join(file, '..', specifier))
  const harness = isTest(file) && target.startsWith('test/')
  return target.startsWith(`${room.folder}/src/`) || harness
}
