import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WorkspaceEscapeError } from './errors.ts'
import { Workspace } from './workspace.ts'

let root = ''
let workspace: Workspace

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-workspace-'))
  await mkdir(join(root, 'in/sub'), { recursive: true })
  await mkdir(join(root, 'inside-too'))
  await writeFile(join(root, 'secret'), 'secret')
  workspace = new Workspace(join(root, 'in'))
})
afterEach(() => rm(root, { recursive: true }))

test.each(['a', 'a/b.txt', 'sub/x', './a//b', '...', 'パソ/café', 'a b\nc'])(
  '%j stays inside',
  async (name) => {
    expect(await workspace.inside(name)).toBe(join(root, 'in', name))
  },
)

test.each(['../x', 'a/../../x', 'a/..', '/etc/passwd', '', '.', '/', 'a\0b', 'sub/../../secret'])(
  '%j is refused',
  async (name) => {
    await expect(workspace.inside(name)).rejects.toThrow(WorkspaceEscapeError)
  },
)

test('a link that stays may be passed; one that leaves, or leads nowhere, may not', async () => {
  await symlink('sub', join(root, 'in/stays'))
  await symlink('..', join(root, 'in/parent'))
  await symlink('../inside-too', join(root, 'in/sibling'))
  await symlink(join(root, 'secret'), join(root, 'in/file'))
  await symlink(join(root, 'not-there-yet'), join(root, 'in/dangling'))
  expect(await workspace.inside('stays/new')).toBe(join(root, 'in/stays/new'))
  for (const name of ['parent', 'parent/secret', 'sibling/x', 'file', 'dangling', 'dangling/x']) {
    await expect(workspace.inside(name), name).rejects.toThrow(WorkspaceEscapeError)
  }
})

test('the folder itself may be reached over a link', async () => {
  await symlink(join(root, 'in'), join(root, 'link'))
  expect(await new Workspace(join(root, 'link')).inside('a')).toBe(join(root, 'link/a'))
})

test('a created file gets its folders, and never replaces another', async () => {
  const stream = await workspace.create('x/y/z.txt')
  await new Promise<void>((resolve) => stream.end('hello', () => resolve()))
  expect(await readFile(join(root, 'in/x/y/z.txt'), 'utf8')).toBe('hello')
  const again = await workspace.create('x/y/z.txt')
  await expect(new Promise((_, reject) => again.on('error', reject))).rejects.toThrow('EEXIST')
})
