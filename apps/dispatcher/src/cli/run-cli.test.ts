import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, listenOn } from '../../../../test/pacifica/listening.ts'
import { runCli } from './run-cli.ts'

const asked: string[] = []
let authorization: string | undefined
let looks = 0
const shown = {
  ...{ taskID: 'T-9', created: '2019-01-09T09:17:26.123Z', taskStatus: '102 Processing' },
  ...{ state: 'running', kind: 'dry-run', eventID: 'E-\u001b[1', source: '/s', settled: null },
  ...{ exceptionType: null, progress: { step: 'reading', done: 1, total: 2 }, uploads: [] },
  ...{ repeatedBy: [], filesTaken: 2, bytesTaken: 9, comparison: null, repeats: 'T-1' },
}
const changed = [{ path: 'x', before: { size: 3, sha1: 'a' }, now: { size: 4, sha1: 'b' } }]
const upload = { number: 1, now: { bundle: '/d/x.tar' }, added: [], removed: [], changed }
const comparison = { comparedWith: 'T-1', same: false, uploads: [upload] }
const item = JSON.stringify(shown)
const ended = JSON.stringify({ ...shown, state: 'done', settled: shown.created, comparison })
const raw = { slot: 'raw', source: '/s', eventID: 'E\u001b', taskID: 'T-9', filled: shown.created }
const dark = { slot: 'dark', source: null, eventID: null, taskID: null, filled: null }
const oneJoin = {
  ...{ joinID: 'J-1', name: 'pair', key: 'K', state: 'open', defined: false, missing: ['dark'] },
  ...{ slots: [raw, dark], atDeadline: 'run', deadline: shown.created, created: shown.created },
  ...{ settled: null, taskID: null, taskStatus: null },
}
const over = { state: 'cancelled', defined: true }
let dispatcher: Listening
let folder: string
let tokens: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dispatcher-cmd-'))
  tokens = join(folder, 'tokens')
  await writeFile(tokens, 'f1rst alice\nsecond bob\n')
  dispatcher = await listenOn(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      authorization = request.headers.authorization
      if (request.url?.startsWith('/joins')) answerJoins(request, response)
      else answerTasks(request, response)
    }),
  )
})
afterAll(async () => {
  await dispatcher.close()
  await rm(folder, { recursive: true })
})

function answerTasks(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/tasks' || request.url?.startsWith('/tasks?')) {
    response.setHeader('link', '</tasks?limit=1&cursor=41>; rel="next"').end(`[${item}]`)
  } else if (request.method === 'POST') {
    response.end('{"taskID":"T-9","taskStatus":"202 Accepted","repeats":"T-1"}')
  } else if (request.url === '/tasks/T-9') {
    looks += 1
    response.end(looks < 3 ? item : ended)
  } else if (request.url === '/tasks/T-2') {
    response.writeHead(409).end('{"message":"task T-2 has ended already: 200 OK"}')
  } else if (request.method === 'DELETE') {
    response.writeHead(202).end('{"taskID":"T-1","taskStatus":"102 Processing"}')
  } else response.end('what it wrote\n')
}

function answerJoins({ url, method }: IncomingMessage, response: ServerResponse): void {
  if (method === 'DELETE') response.end(JSON.stringify(over))
  else if (url === '/joins/J-1') response.end(JSON.stringify(oneJoin))
  else {
    response.setHeader('link', '</joins?limit=1&cursor=7>; rel="next"')
    response.end(JSON.stringify([oneJoin, { ...oneJoin, ...over }]))
  }
}

async function cmd(...argv: string[]) {
  const [out, errors]: [string[], string[]] = [[], []]
  const env = {
    DISPATCHER_HOST: '0.0.0.0',
    DISPATCHER_PORT: new URL(dispatcher.url).port,
    API_TOKENS: tokens,
  }
  const print = (text: string) => void out.push(text)
  const complain = (line: string) => void errors.push(line)
  const code = await runCli({ argv, env, print, complain, pauseMs: 1 })
  return { code, out: out.join(''), errors: errors.join('\n') }
}

test('cancel asks the dispatcher of this environment, and says what the task is now', async () => {
  expect(await cmd('cancel', 'T-1')).toEqual({ code: 0, out: '102 Processing\n', errors: '' })
  expect(asked.at(-1)).toBe('DELETE /tasks/T-1')
})

test('log prints what the task wrote', async () => {
  expect(await cmd('log', 'T-1')).toMatchObject({ code: 0, out: 'what it wrote\n' })
})

test('list asks with the filters given, shows a line for each task, and says how to go on', async () => {
  const words = ['list', '--state', 'running,failed', '--event', 'a b', '--limit', '1']
  expect(await cmd(...words)).toEqual({
    code: 0,
    out: 'T-9  2019-01-09T09:17:26.123Z  102 Processing              dry-run E- [1  reading 1/2\n',
    errors: 'There are more: add --cursor 41',
  })
  expect(asked.at(-1)).toBe('GET /tasks?state=running%2Cfailed&eventID=a+b&limit=1')
  expect((await cmd('list', '--json')).out).toBe(`[${item}]\n`)
})

test('the first of the tokens that the service knows is shown to it', async () => {
  await cmd('list')
  expect(authorization).toBe('Bearer f1rst')
})

test('retry says which task it is now', async () => {
  expect(await cmd('retry', 'T-1')).toMatchObject({ code: 0, out: 'T-9  202 Accepted\n' })
  expect(asked.at(-1)).toBe('POST /tasks/T-1/retry')
})

test('a dry run that is waited for shows the difference', async () => {
  const { code, out } = await cmd('dry-run', 'T-1', '--wait')
  expect(code).toBe(0)
  expect(asked).toContain('POST /tasks/T-1/dry-run')
  expect(out).toContain('repeats:   T-1\n')
  expect(out).toContain('Compared with task T-1: different\nupload 1 /d/x.tar\n  * x 3 → 4\n')
})

test('joins are listed, shown and cancelled', async () => {
  const time = shown.created
  expect(await cmd('joins', '--state', 'open', '--name', 'pair', '--key', 'K')).toEqual({
    code: 0,
    out:
      `J-1  open       pair  K  waits for dark until ${time}  not defined any more\n` +
      'J-1  cancelled  pair  K\n',
    errors: 'There are more: add --cursor 7',
  })
  expect(asked.at(-1)).toBe('GET /joins?state=open&name=pair&key=K')
  const { out } = await cmd('joins', 'J-1')
  expect(out).toContain('name:      pair (not defined any more)\n')
  expect(out).toContain(`raw:       E  of /s, ${time}, task T-9\ndark:      missing\n`)
  expect(await cmd('cancel-join', 'J-1')).toMatchObject({ code: 0, out: 'cancelled\n' })
  expect(asked.at(-1)).toBe('DELETE /joins/J-1')
})

test('a refusal is told in its own words', async () => {
  const { code, errors } = await cmd('cancel', 'T-2', '--url', dispatcher.url)
  expect([code, errors]).toEqual([1, 'task T-2 has ended already: 200 OK'])
})

test('a dispatcher that is not there is told, with what to look at', async () => {
  const { code, errors } = await cmd('cancel', 'T-1', '--url', 'http://127.0.0.1:1')
  expect([code, errors]).toEqual([1, expect.stringContaining('see --url')])
})

test.each([
  [[]],
  [['stop', 'T-1']],
  [['list', 'T-1']],
  [['show', 'T-1', '--wait']],
  [['cancel']],
  [['cancel', 'a', 'b']],
  [['log', '--no']],
  [['cancel-join']],
  [['joins', '--kind', 'event']],
])('the words %j are answered with how to use it', async (words) => {
  expect(await cmd(...words)).toMatchObject({ code: 2, errors: expect.stringContaining('Usage') })
})
