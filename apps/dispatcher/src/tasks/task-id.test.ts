import { expect, test } from 'vitest'
import { parseTaskId, TaskIdError } from './task-id.ts'

const id = '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b'

test.each([id, id.toUpperCase(), `{${id}}`, `urn:uuid:${id}`, id.replaceAll('-', '')])(
  'the id %s is understood',
  (text) => {
    expect(parseTaskId(text)).toBe(id)
  },
)

test.each(['', '17', 'not-a-uuid', `${id}0`, id.replace('0', 'g')])('"%s" is no id', (text) => {
  expect(() => parseTaskId(text)).toThrow(TaskIdError)
})
