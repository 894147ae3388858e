import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, listenOn } from '../../../../test/pacifica/listening.ts'
import { runCli } from './run-cli.ts'

const asked: string[] = []
let dispatcher: Listening

beforeAll(async () => {
  dispatcher = await listenOn(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      if (request.url === '/tasks/T-2') {
        response.writeHead(409).end('{"message":"task T-2 has ended already: 200 OK"}')
      } else if (request.method === 'DELETE') {
        response.writeHead(202).end('{"taskID":"T-1","taskStatus":"102 Processing"}')
      } else response.end('what it wrote\n')
    }),
  )
})
afterAll(() => dispatcher.close())

async function cmd(...argv: string[]) {
  const [out, errors]: [string[], string[]] = [[], []]
  const env = { DISPATCHER_HOST: '0.0.0.0', DISPATCHER_PORT: new URL(dispatcher.url).port }
  const print = (text: string) => void out.push(text)
  const complain = (line: string) => void errors.push(line)
  const code = await runCli({ argv, env, print, complain })
  return { code, out: out.join(''), errors: errors.join('\n') }
}

test('cancel asks the dispatcher of this environment, and says what the task is now', async () => {
  expect(await cmd('cancel', 'T-1')).toEqual({ code: 0, out: '102 Processing\n', errors: '' })
  expect(asked.at(-1)).toBe('DELETE /tasks/T-1')
})

test('log prints what the task wrote', async () => {
  expect(await cmd('log', 'T-1')).toMatchObject({ code: 0, out: 'what it wrote\n' })
})

test('a refusal is told in its own words', async () => {
  const { code, errors } = await cmd('cancel', 'T-2', '--url', dispatcher.url)
  expect([code, errors]).toEqual([1, 'task T-2 has ended already: 200 OK'])
})

test('a dispatcher that is not there is told, with what to look at', async () => {
  const { code, errors } = await cmd('cancel', 'T-1', '--url', 'http://127.0.0.1:1')
  expect([code, errors]).toEqual([1, expect.stringContaining('see --url')])
})

test.each([[[]], [['stop', 'T-1']], [['cancel']], [['cancel', 'a', 'b']], [['log', '--no']]])(
  'the words %j are answered with how to use it',
  async (words) => {
    expect(await cmd(...words)).toMatchObject({ code: 2, errors: expect.stringContaining('Usage') })
  },
)
