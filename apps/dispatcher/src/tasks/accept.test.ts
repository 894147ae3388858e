import { Event } from '@pacifica/core'
import { createBell, createLog, type DispatchMessage } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { acceptMessage, bytesOf } from './accept.ts'

const message: DispatchMessage = {
  ...{ deliveryId: '2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11', replay: 1, digest: 'ab' },
  body: '{"specversion":"1.0","type":"t","source":"/s","id":"1"}',
}
const letter = '5f0c6f5e-6a3b-4c63-9a53-0f2a6d4e1b7a'

async function linesOf(offered: DispatchMessage, isNew: boolean) {
  const lines: { msg: string }[] = []
  const write = (line: string) => {
    lines.push(JSON.parse(line))
  }
  const log = createLog({ name: 'test', level: 'info', destination: { write } })
  const needs = { log, bell: createBell(), newId: () => 'new', onAccepted() {} }
  const store = async () => ({ taskId: 'task-1', isNew })
  await acceptMessage({ ...needs, store }, offered)
  return lines.filter(({ msg }) => msg === 'task.already_there')
}

test('a dead letter that is sent again and has its task already is told, with the task', async () => {
  const delivery = { id: message.deliveryId, replay: 1 }
  expect(await linesOf({ ...message, letter }, false)).toMatchObject([
    { level: 'warn', task: 'task-1', letter, delivery },
  ])
  expect(await linesOf({ ...message, letter }, true)).toEqual([])
  expect(await linesOf(message, false)).toEqual([])
})

test.each([
  [[5, 7, undefined, 0.5], 13],
  [[-5, 1], 1],
  [[1e300], Number.MAX_SAFE_INTEGER],
  [[], 0],
  [['a lot'], 0],
])('files of the sizes %j weigh %d bytes', (sizes, bytes) => {
  const data = sizes.map((size) => ({ destinationTable: 'Files', name: 'x', size }))
  const event = Event.parse(
    JSON.stringify({ specversion: '1.0', type: 't', source: '/s', id: '1', data }),
  )
  expect(bytesOf(event)).toBe(bytes)
})
