import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openScratch } from './scratch.ts'

const log = createLog({ name: 'test', level: 'silent' })
const task = { id: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b', claim: 2 }
let base: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'scratch-'))
})
afterEach(() => rm(base, { recursive: true }))

test('a run has a folder of its own, which is gone afterwards', async () => {
  const scratch = await openScratch({ log }, base)
  await scratch.use(task, async (folder) => {
    await mkdir(join(folder, 'deep/er'), { recursive: true })
    await writeFile(join(folder, 'deep/er/file'), 'x')
  })
  expect(await readdir(base)).toEqual([])
})

test('the folder is gone after a run that threw, and the error is not lost', async () => {
  const scratch = await openScratch({ log }, base)
  const run = scratch.use(task, () => Promise.reject(new Error('no luck')))
  await expect(run).rejects.toThrow('no luck')
  expect(await readdir(base)).toEqual([])
})

test('what an earlier run of the task left behind goes when it is begun again', async () => {
  const scratch = await openScratch({ log }, base)
  await mkdir(join(base, `${task.id}-1`))
  await scratch.use(task, async () => expect(await readdir(base)).toEqual([`${task.id}-2`]))
})

test('the sweep takes what no running task owns', async () => {
  const scratch = await openScratch({ log }, base)
  for (const name of [`${task.id}-1`, `${task.id}-2`, 'rubbish']) await mkdir(join(base, name))
  await scratch.sweep(async () => [task])
  expect(await readdir(base)).toEqual([`${task.id}-2`])
})

test('a run that begins while the sweep asks what is running keeps its folder', async () => {
  const scratch = await openScratch({ log }, base)
  await scratch.sweep(async () => {
    await mkdir(join(base, `${task.id}-2`))
    return []
  })
  expect(await readdir(base)).toEqual([`${task.id}-2`])
})
