import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listFiles } from '../../bundle/list-files.ts'
import { LocalDownloaderRunner } from '../../download/local-downloader-runner.ts'
import { Event } from '../../events/event.ts'
import { Transaction } from '../../models/transaction.ts'
import { TransactionKeyValue } from '../../models/transaction-key-value.ts'
import { LocalUploaderRunner } from '../../upload/local-uploader-runner.ts'
import type { TaskContext } from '../task-context.ts'
import { CommandHandler } from './command-handler.ts'
import type { CommandOptions } from './options.ts'

const run = promisify(execFile)

let root = ''
let said: { message: string; [field: string]: unknown }[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-command-'))
  said = []
  await mkdir(join(root, 'archive/data/a b'), { recursive: true })
  await mkdir(join(root, 'task'))
  await writeFile(join(root, 'archive/data/a b/ü $x.txt'), 'foo\n')
  await writeFile(join(root, 'archive/data/bar.bin'), 'bar')
})
afterEach(() => rm(root, { recursive: true }))

function contextOf(signal = new AbortController().signal): TaskContext {
  const say = (message: string, fields = {}) => said.push({ message, ...fields })
  return {
    taskId: 'task-1',
    signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new LocalUploaderRunner(join(root, 'bundles'), { name: () => 'task-1' }),
    log: { info: say, warn: say, error: say },
    progress: ({ step }) => say(step),
    provenance: [new TransactionKeyValue({ key: 'pacifica.task', value: 'task-1' })],
  }
}

/** As Metadata writes it: spaces and escapes of its own. */
const TEXT = `{"cloudEventsVersion": "0.1", "eventType":"t", "source": "/s", "eventID": "1", "data": [
  {"destinationTable": "Transactions._id", "value": 67},
  {"destinationTable": "Transactions.submitter", "value": 10},
  {"destinationTable": "Transactions.project", "value": "1234\\u00e9"},
  {"destinationTable": "Files", "name": "ü $x.txt", "subdir": "a b"},
  {"destinationTable": "Files", "name": "bar.bin", "subdir": ""}]}`
const EVENT = Event.parse(TEXT)

/** A handler that is this shell script, with SRC and DST as $1 and $2. */
function shell(script: string, options?: CommandOptions): CommandHandler {
  return new CommandHandler(['/bin/sh', '-euc', script, 'script'], options)
}

async function handle(script: string, options?: CommandOptions, signal?: AbortSignal) {
  await shell(script, options).handle(EVENT, contextOf(signal))
}

/** The bundle's files, by their paths, and the rest of its metadata. */
async function bundle() {
  const target = await mkdtemp(join(root, 'unpacked-'))
  await run('tar', ['xf', join(root, 'bundles/task-1.tar'), '-C', target])
  await mkdir(join(target, 'data'), { recursive: true })
  const files = await listFiles(join(target, 'data'))
  const read = files.map(async ({ path, location }) => [path, await readFile(location)] as const)
  const entries: Record<string, unknown>[] = JSON.parse(
    await readFile(join(target, 'metadata.txt'), 'utf8'),
  )
  return {
    files: new Map(await Promise.all(read)),
    noted: entries
      .filter(({ destinationTable }) => destinationTable !== 'Files')
      .map((entry) => Object.values(entry)),
  }
}

async function texts(): Promise<Record<string, string>> {
  const { files } = await bundle()
  return Object.fromEntries([...files].map(([path, bytes]) => [path, bytes.toString()]))
}

function lines(message: string): unknown[] {
  return said.filter((each) => each.message === message).map((each) => each['line'])
}

/** Until the process with this id has ended; a zombie has. */
async function gone(id: number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${id}/stat`, 'latin1').catch(() => ' ) Z')
    if (/\) [ZX]/.test(stat.slice(stat.lastIndexOf(')') - 1))) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function idIn(name: string): Promise<number> {
  return Number(await readFile(join(root, name), 'utf8'))
}

describe('the contract', () => {
  test('COMMAND SRC DST: the event and the files go in, uploads come out', async () => {
    await handle(`
      test $# = 2
      cp "$1/notification.json" "$2/uploads/event"
      cp -RL "$1/downloads" "$2/uploads/copy"
      tr a-z A-Z < "$1/downloads/a b/ü \\$x.txt" > "$2/uploads/upper"`)
    expect(await texts()).toEqual({
      event: TEXT,
      'copy/a b/ü $x.txt': 'foo\n',
      'copy/bar.bin': 'bar',
      upper: 'FOO\n',
    })
    expect((await bundle()).noted).toEqual([
      ['Transactions.submitter', 10],
      ['Transactions.project', '1234é'],
      ['TransactionKeyValue', 'Transactions._id', 67],
      ['TransactionKeyValue', 'pacifica.task', 'task-1'],
    ])
  })

  test('the event is shown under the names that the author asks for', async () => {
    const script = 'cp "$1/notification.json" "$2/uploads/event"'
    await handle(script, { version: 'v1.0' })
    const { event = '' } = await texts()
    expect(JSON.parse(event)).toMatchObject({ specversion: '1.0', type: 't', id: '1' })
  })

  test('only selected files are fetched; without one, downloads is an empty folder', async () => {
    await handle('ls "$1/downloads" > "$2/uploads/list"', { select: ({ subdir }) => subdir === '' })
    expect(await texts()).toEqual({ list: 'bar.bin\n' })
    await handle('ls "$1/downloads" > "$2/uploads/list"', { select: () => false })
    expect(await texts()).toEqual({ list: '' })
  })

  test('without a result nothing is uploaded, and the log says so', async () => {
    await handle('mkdir -p "$2/uploads/empty"; echo note > "$2/not-in-uploads"')
    expect(said.at(-1)?.message).toBe('transform.nothing_to_upload')
    expect(await readdir(root)).not.toContain('bundles')
    await handle('rm -r "$2/uploads"')
    expect(await readdir(root)).not.toContain('bundles')
  })

  test('whose the result is and what is noted on it may be a function of the event', async () => {
    const result = (event: Event) => ({
      transaction: new Transaction({ submitter: 1 }),
      keyValues: [new TransactionKeyValue({ key: 'of', value: event.id })],
    })
    await handle('echo x > "$2/uploads/x"', { result })
    expect((await bundle()).noted).toEqual([
      ['Transactions.submitter', 1],
      ['TransactionKeyValue', 'of', '1'],
      ['TransactionKeyValue', 'pacifica.task', 'task-1'],
    ])
  })

  test('whatever bytes it writes under whatever names, they are in the bundle', async () => {
    const name = fc
      .string({ minLength: 1, maxLength: 20, unit: 'binary' })
      .map((text) => text.replace(/[\0/\ufffd]/g, '_'))
      .filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) <= 255)
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.nat({ max: 300_000 }).map((size) => new Uint8Array(randomBytes(size))),
    )
    const tree = fc.dictionary(name, content, { minKeys: 1, maxKeys: 5 })
    const written = async (files: Readonly<Record<string, Uint8Array>>) => {
      const made = await mkdtemp(join(root, 'made-'))
      const expected = new Map(Object.entries(files).map(([at, it]) => [at, Buffer.from(it)]))
      for (const [at, bytes] of expected) await writeFile(join(made, at), bytes)
      const variables = { MADE: made }
      await handle('cp -R "$MADE/." "$2/uploads/deeper"', { variables })
      const { files: found } = await bundle()
      for (const [at, bytes] of expected) {
        expect(found.get(`deeper/${at}`)?.equals(bytes)).toBe(true)
      }
      expect(found.size).toBe(expected.size)
    }
    await fc.assert(fc.asyncProperty(tree, written), { numRuns: 12 })
  })
})

describe('what it sees', () => {
  test('of the environment only a few names, those that the author lists, and fixed values', async () => {
    process.env['COMMAND_TEST_SECRET'] = 'secret'
    process.env['COMMAND_TEST_LISTED'] = 'listed'
    try {
      const options = { environment: ['COMMAND_TEST_LISTED'], variables: { FIXED: 'a=b\nc' } }
      await handle('env -0 > "$2/uploads/env"', options)
    } finally {
      delete process.env['COMMAND_TEST_SECRET']
      delete process.env['COMMAND_TEST_LISTED']
    }
    const { env = '' } = await texts()
    const shown = new Map(
      env
        .split('\0')
        .filter((each) => each !== '')
        .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    )
    expect(shown.get('COMMAND_TEST_LISTED')).toBe('listed')
    expect(shown.get('FIXED')).toBe('a=b\nc')
    expect(shown.get('PATH')).toBe(process.env['PATH'])
    expect(shown.get('PACIFICA_TASK_ID')).toBe('task-1')
    expect(shown.get('TMPDIR')).toBe(join(root, 'task/tmp'))
    const ofTheShell = ['PWD', 'OLDPWD', 'SHLVL', '_']
    const allowed = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'FIXED', 'COMMAND_TEST_LISTED']
    const ours = ['PACIFICA_TASK_ID', 'PACIFICA_TASK_PROCESS', 'PACIFICA_COMMAND_RUN']
    const others = [...shown.keys()].filter(
      (each) => ![...ofTheShell, ...allowed, ...ours].includes(each),
    )
    expect(others).toEqual([])
  })

  test('DST as its working folder unless told otherwise, and nothing on stdin', async () => {
    await handle('pwd -P > uploads/pwd; cat > uploads/stdin')
    expect(await texts()).toEqual({
      pwd: `${await realpathOf('task/destination')}\n`,
      stdin: '',
    })
    await handle('pwd -P > "$2/uploads/pwd"', { folder: pathToFileURL(root) })
    expect(await texts()).toEqual({ pwd: `${await realpathOf('')}\n` })
  })

  test('its arguments as they are, without a shell between', async () => {
    const odd = ['$HOME; echo *', 'a "b"', '']
    const [source, destination] = [join(root, 'task/source'), join(root, 'task/destination')]
    const all = ['/bin/sh', '-c', 'printf "%s|" "$@" > uploads/args', 'x', ...odd] as const
    await new CommandHandler(all).handle(EVENT, contextOf())
    expect(await texts()).toEqual({ args: `${odd.join('|')}|${source}|${destination}|` })
  })

  async function realpathOf(name: string): Promise<string> {
    return (await run('realpath', [join(root, name)])).stdout.trim()
  }
})

describe('what it says', () => {
  test('goes to the log line by line, odd bytes and all', async () => {
    await handle(`printf 'one\\ntwo \\303\\251\\n\\377\\nlast'; printf 'warn\\n' >&2`)
    expect(lines('command.stdout')).toEqual(['one', 'two é', '\ufffd', 'last'])
    expect(lines('command.stderr')).toEqual(['warn'])
    expect(said).toContainEqual({
      message: 'command.ended',
      command: '/bin/sh -euc',
      how: 'by-itself',
      exitCode: 0,
      signal: undefined,
    })
  })

  test('is cut in the log, which says by how much, and is no failure', async () => {
    await handle('head -c 3000000 /dev/zero | tr "\\0" x', { maxOutput: 20_000 })
    expect(lines('command.stdout').join('')).toBe('x'.repeat(20_000))
    expect(said).toContainEqual({
      message: 'command.output_cut',
      stream: 'stdout',
      unlogged: 2_980_000,
    })
  })

  test('is uploaded whole if the author wants that', async () => {
    const keep = { stdout: 'logs/out.bin', stderr: 'err.txt' }
    await handle('head -c 3000000 /dev/zero; echo oh >&2', { keep, maxOutput: 10 })
    const { files } = await bundle()
    expect(files.get('logs/out.bin')?.equals(Buffer.alloc(3_000_000))).toBe(true)
    expect(files.get('err.txt')?.toString()).toBe('oh\n')
  })

  test('does not replace a file of the result', async () => {
    const keep = { stdout: 'out' }
    const handling = handle('echo mine > "$2/uploads/out"', { keep })
    await expect(handling).rejects.toMatchObject({
      code: 'COMMAND_RESULT',
      message: expect.stringContaining('DST/uploads/out itself'),
    })
  })
})

describe('a failure', () => {
  test.each([
    ['exit 3', { exitCode: 3, signal: undefined }, 'ended with exit code 3'],
    ['kill -KILL $$', { exitCode: undefined, signal: 'SIGKILL' }, 'was ended by SIGKILL'],
  ])('by "%s" uploads nothing and has the end of stderr', async (how, end, message) => {
    const script = `echo x > "$2/uploads/x"; seq 1 10000 >&2; ${how}`
    const last = '9999\n10000'
    await expect(handle(script)).rejects.toMatchObject({
      ...end,
      code: 'COMMAND_FAILED',
      message: expect.stringContaining(`/bin/sh -euc ${message}; the end of its stderr:\n`),
      stderr: expect.stringMatching(new RegExp(`^(\\d+\n){18}${last}$`)),
    })
    expect(await readdir(root)).not.toContain('bundles')
  })

  test('to start says which of the usual mistakes it was', async () => {
    const script = join(root, 'script')
    const why = async (command: string, options?: CommandOptions) => {
      const handler = new CommandHandler([command], options)
      return await handler.handle(EVENT, contextOf()).then(
        () => 'it started',
        (error) => `${error.code}: ${error.message}`,
      )
    }
    expect(await why(script)).toBe(
      `COMMAND_NOT_STARTED: ${script} cannot be started: there is no such file`,
    )
    expect(await why('no-such-program-here')).toContain('there is no such program in PATH (')
    expect(await why(root)).toContain('it is a folder')
    await writeFile(script, '#!/no/such/interpreter\n')
    expect(await why(script)).toContain('it is not executable; chmod +x it')
    await chmod(script, 0o755)
    expect(await why(script)).toContain('is not there: "#!/no/such/interpreter"')
    expect(await why('/bin/sh', { folder: join(root, 'no') })).toContain('its working folder /')
  })

  test('in what it was given is told when the dispatcher is defined, all at once', () => {
    const options = {
      environment: ['A=B'],
      variables: { X: 'a\0b' },
      keep: { stdout: '../out', stderr: '../out' },
      folder: 'here',
      timeout: 0,
      grace: 1.5,
      maxBytes: -1,
    }
    let message = ''
    try {
      new CommandHandler(['./x.sh', 'a\0b'], options)
    } catch (error) {
      expect(error).toMatchObject({ code: 'COMMAND_OPTIONS' })
      message = (error as Error).message
    }
    for (const part of [
      './x.sh is a relative path',
      '"a\\u0000b"',
      '"A=B"',
      'variables.X',
      'folder',
    ]) {
      expect(message).toContain(part)
    }
    for (const part of ['"../out" contains ".."', 'one file', 'timeout', 'grace', 'maxBytes']) {
      expect(message).toContain(part)
    }
    expect(() => new CommandHandler([] as never)).toThrow('must be a list')
  })

  test('to leave the results where they belong is an error', async () => {
    for (const script of [
      'rm -r "$2/uploads"; ln -s /etc "$2/uploads"',
      'rm -r "$2/uploads"; ln -s /no/where "$2/uploads"',
      'rm -r "$2"; ln -s /etc "$2"',
    ]) {
      await expect(handle(script)).rejects.toMatchObject({ code: 'COMMAND_RESULT' })
    }
    await expect(handle('ln -s /etc/passwd "$2/uploads/x"')).rejects.toMatchObject({
      code: 'BUNDLE_ENTRY',
    })
    expect(await readdir(join(root, 'bundles'))).toEqual([])
  })
})

describe('its end', () => {
  const FOREVER = 'while :; do sleep 600; done'

  /** How it ended when its time was up, which was long enough for it to begin: to write `self`. */
  async function endedLate(script: string, grace: number): Promise<unknown> {
    for (let timeout = 1_000; ; timeout *= 5) {
      const options = { variables: { R: root }, timeout, grace }
      const error = await handle(script, options).catch((thrown: unknown) => thrown)
      if ((await readdir(root)).includes('self')) return error
    }
  }

  test('comes when its time is up, for all that it started', async () => {
    const script = `echo slow >&2; sleep 600 & echo $! > "$R/child"; echo $$ > "$R/self"; ${FOREVER}`
    expect(await endedLate(script, 60_000)).toMatchObject({
      code: 'COMMAND_TIMEOUT',
      message: expect.stringMatching(/its timeout of \d+ ms; the end of its stderr:\nslow$/),
    })
    await gone(await idIn('child'))
    await gone(await idIn('self'))
  })

  test('comes when the task is called off, with a moment to put things in order', async () => {
    const cancel = new AbortController()
    const context = contextOf(cancel.signal)
    const info = (message: string, fields = {}) => {
      said.push({ message, ...fields })
      if (message === 'command.stdout') cancel.abort(new Error('cancelled by a test'))
    }
    const script = `trap 'echo tidy > "$R/tidy"; exit 0' TERM; echo ready; sleep 600 & wait`
    const handler = shell(script, { variables: { R: root }, grace: 60_000 })
    await expect(
      handler.handle(EVENT, { ...context, log: { ...context.log, info } }),
    ).rejects.toThrow('cancelled by a test')
    expect(await readFile(join(root, 'tidy'), 'utf8')).toBe('tidy\n')
    expect(await readdir(root)).not.toContain('bundles')
  })

  test('is forced upon one that will not hear', async () => {
    const script = `trap '' TERM; echo $$ > "$R/self"; ${FOREVER}`
    expect(await endedLate(script, 300)).toMatchObject({ code: 'COMMAND_TIMEOUT' })
    await gone(await idIn('self'))
  })

  test('is the end of what it left behind in the background, also in a session of its own', async () => {
    const script = `
      sleep 600 &
      echo $! > "$R/child"
      setsid sh -c 'echo $$ > "$R/daemon"; exec sleep 600' < /dev/null &
      while ! test -s "$R/daemon"; do sleep 0.02; done
      echo x > "$2/uploads/x"`
    await handle(script, { variables: { R: root } })
    expect(await texts()).toEqual({ x: 'x\n' })
    await gone(await idIn('child'))
    await gone(await idIn('daemon'))
  })

  test('is not waited for by what nobody can find', async () => {
    const script = `
      setsid env -i /bin/sh -c 'echo $$ > "$0/lost"; exec sleep 600' "$R" &
      while ! test -s "$R/lost"; do sleep 0.02; done
      echo said; echo x > "$2/uploads/x"`
    try {
      await handle(script, { variables: { R: root } })
      expect(await texts()).toEqual({ x: 'x\n' })
      expect(lines('command.stdout')).toEqual(['said'])
    } finally {
      process.kill(await idIn('lost'), 'SIGKILL')
    }
  })

  test('comes when it has written too much, while it runs or at its end', async () => {
    const endless = `head -c 3000000 /dev/zero > "$TMPDIR/big"; ${FOREVER}`
    await expect(handle(endless, { maxBytes: 2_000_000 })).rejects.toMatchObject({
      code: 'COMMAND_TOO_LARGE',
      bytes: expect.any(Number),
      maxBytes: 2_000_000,
    })
    const quick = 'head -c 2000001 /dev/zero > "$2/uploads/big"'
    await rm(join(root, 'task/tmp'), { recursive: true })
    await expect(handle(quick, { maxBytes: 2_000_000 })).rejects.toMatchObject({ bytes: 2_000_001 })
    await handle('head -c 2000000 /dev/zero > "$2/uploads/big"', { maxBytes: 2_000_000 })
    expect((await bundle()).files.get('big')).toHaveLength(2_000_000)
  })

  test('a task that was called off before it is not begun', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(handle('echo x > "$R/x"', { variables: { R: root } }, signal)).rejects.toThrow(
      'too late',
    )
    expect(await readdir(root)).not.toContain('x')
  })
})

test('what an earlier try left in the folders is gone', async () => {
  await handle('echo 1 > "$2/uploads/one"; echo 1 > "$1/one"; echo 1 > "$2/one"')
  await handle('test ! -e "$1/one"; test ! -e "$2/one"; echo 2 > "$2/uploads/two"')
  expect(await texts()).toEqual({ two: '2\n' })
})
