import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exampleEvent } from '../testing/index.ts'
import { InterruptedError } from './errors.ts'
import { runCli } from './run-cli.ts'

/** Its two routes lead to a shell script and to a Python program. */
const EXAMPLE = fileURLToPath(new URL('../../../../examples/commands/', import.meta.url))
const FILES = { 'a/b.txt': 'one\ntwo\n' }

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-cli-'))
  await mkdir(join(root, 'files/data/a'), { recursive: true })
  await writeFile(join(root, 'files/data/a/b.txt'), FILES['a/b.txt'])
  await event('lines.json', { 'example-command': 'count-lines' })
  await event('other.json', { 'example-command': 'count\u001bwords' })
  await writeFile(join(root, 'no-event.json'), '[]')
  await writeFile(join(root, 'broken.mjs'), 'throw new Error("at its first line")')
  await writeFile(join(root, 'none.mjs'), 'export default {}')
})
afterAll(() => rm(root, { recursive: true }))

async function event(name: string, keyValues: Record<string, string>): Promise<void> {
  await writeFile(join(root, name), JSON.stringify(exampleEvent({ keyValues, files: FILES })))
}

class Text extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }
}

async function cli(words: string, signal: AbortSignal = new AbortController().signal) {
  const [out, errors] = [new Text(), new Text()]
  const argv = words.split(' ').filter((word) => word !== '')
  const code = await runCli(argv, { folder: root, out, errors, signal })
  return { code, out: out.text, errors: errors.text }
}

test('run runs one event, says what the result is, and leaves it in a folder', async () => {
  const run = await cli(`run --event lines.json --data files --out out ${EXAMPLE}`)
  expect(run.code, run.errors).toBe(0)
  expect(run.out.replace(/in [\d.]+ s/, 'in 0 s')).toBe(`bundle 1: out/bundle-1.tar, 3072 bytes
  data/lines.tsv  10 bytes, text/tab-separated-values
  submitter: 10
  project: 1234a
  instrument: 54
  Transactions._id = 67
done in 0 s by route 1
`)
  expect(await readFile(join(root, 'out/bundle-1/data/lines.tsv'), 'utf8')).toBe('2\ta/b.txt\n')
  const said = run.errors.split('\n')
  expect(said).toContain('event       metadata.ingest.67, org.pacifica.metadata.ingest')
  expect(said).toContain('info  command.stdout {"line":"counted 1 files"}')
  expect(said).toContain('download 8/8 bytes')
})

test('routes says which route gets the event', async () => {
  const { code, out } = await cli(`routes --event lines.json ${EXAMPLE}`)
  expect(code).toBe(0)
  expect(out).toContain('dispatcher  commands, 2 routes')
  expect(out).toContain('route 1 matches, and gets the event\n')
  expect(out).toContain('route 2 does not match\n')
})

const WHY = `route 1 does not match
  at line 5, column 3: this is false for everything here: $["data"][*][?(@["destinationTable"] = "TransactionKeyValue" and @["key"] =…
      $["data"][*][?(
      ^
    there stood an object with cloudEventsVersion, eventType, source, eventID, eventTime, extensions, … ($[?($["eventType"] = "org.pacifica.metadata.ingest")])
    at line 10, column 5: this holds for nothing here
          @["value"] = "count-lines"
          ^
      there stood an object with destinationTable, key, value ($["data"][*][?(@["destinationTable"] = "TransactionKeyValue")][?(@["key"] = "example-command")])
      @["value"] is "count\\u001bwords"
`

test('where no route matches, routes and run say of each why, with the place in its text', async () => {
  const routes = await cli(`routes --event other.json ${EXAMPLE}`)
  expect(routes.code).toBe(3)
  expect(routes.out).toContain(WHY)
  const run = await cli(`run --event other.json --data files --out out ${EXAMPLE}`)
  expect(run).toMatchObject({ code: 3, out: expect.stringContaining(WHY) })
})

test.each([
  ['run --event nowhere.json --out out', 2, 'nowhere.json is not there'],
  ['run --event no-event.json --out out', 2, 'holds no event: the event must be a JSON object'],
  ['run --out out', 2, '--event FILE'],
  ['run --event lines.json', 2, '--out DIR'],
  ['run --event lines.json --out out --timeout soon', 2, 'number of seconds'],
  ['run --event lines.json --out out', 2, 'package.json is not there; name the module'],
  ['run --event lines.json --out out nowhere.js', 2, 'npm run build'],
  ['run --event lines.json --out out no-such-package', 2, 'no file, folder or installed package'],
  ['run --event lines.json --out out broken.mjs', 2, 'at its first line'],
  ['run --event lines.json --out out none.mjs', 2, 'export default defineDispatcher('],
  ['run --event lines.json --out out a b', 2, 'one module'],
  [`run --event lines.json --out none.mjs ${EXAMPLE}`, 2, 'EEXIST: file already exists'],
  ['routes', 2, '--event FILE'],
  ['routes --evnt x', 2, 'pacifica-dispatcher --help'],
  ['walk', 2, 'init, run, routes'],
  ['init', 2, 'init NAME'],
  ['init Not_A_Name', 2, 'a-z, 0-9 and -'],
  ['init name --template rust', 2, 'typescript, python, shell'],
  ['init files', 2, 'is not empty'],
])('%s: the mistake is told, with what to do', async (words, code, said) => {
  const ended = await cli(words)
  expect(ended.code).toBe(code)
  expect(ended.errors).toContain(said)
  expect(ended.errors).not.toMatch(/ at (async )?(runCli|readyForBundles)/)
})

test.each([
  ['files/data', 'give the folder above it'],
  ['nowhere', 'is not there'],
])('the data folder %s: what is wrong with it is said', async (data, said) => {
  const run = await cli(`run --event lines.json --data ${data} --out out ${EXAMPLE}`)
  expect(run).toMatchObject({ code: 1, out: expect.stringContaining(said) })
})

test('missing files are listed', async () => {
  await mkdir(join(root, 'empty/data'), { recursive: true })
  const { code, out } = await cli(`run --event lines.json --data empty --out out ${EXAMPLE}`)
  expect(code).toBe(1)
  expect(out).toContain('  a/b.txt: it is not there\n')
})

test('an interrupted run ends with 130, and says what ended it', async () => {
  const signal = AbortSignal.abort(new InterruptedError('SIGINT'))
  const run = await cli(`run --event lines.json --data files --out out ${EXAMPLE}`, signal)
  expect(run).toMatchObject({ code: 130, out: expect.stringContaining('ended by SIGINT') })
})

test('help is given when asked, and when nothing is', async () => {
  expect(await cli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('init') })
  expect(await cli('')).toMatchObject({ code: 2, out: expect.stringContaining('Exit codes') })
  expect(await cli('run --help')).toMatchObject({ code: 0, out: expect.stringContaining('--data') })
})
