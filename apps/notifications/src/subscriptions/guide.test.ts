/** docs/guides/subscribe.md: what it shows works. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { newSigningSecret, webhookHeaders } from '../deliver/signature.ts'
import { refuseWork } from './probes.ts'
import { compileSubscription } from './subscription.ts'

const guide = await readFile(
  join(import.meta.dirname, '../../../../docs/guides/subscribe.md'),
  'utf8',
)
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  )
const compiled = (text: string) => compileSubscription(text, 'jsonpath2')
const event = JSON.parse(blocks('json')[0] ?? '')

test('every expression shown can be given, and selects from the event shown', () => {
  const expressions = blocks('jsonpath').flatMap((block) => block.trim().split('\n'))
  expect(expressions.length).toBeGreaterThanOrEqual(5)
  for (const text of expressions) {
    expect(compiled(text).test(event), text).toBe(true)
    expect(refuseWork(compiled(text), 'v0.1'), text).toBeUndefined()
  }
})

test('the traps are as they are described', () => {
  expect(compiled('$.data[?(@.value = 67)]').test(event)).toBe(false)
  expect(compiled('$.data[*][?(@.value = 67)]').test(event)).toBe(true)
  expect(compiled('$[?(not @.data[*].value = 67)]').test(event)).toBe(false)
  expect(compiled('$[?(@.missing != 1)]').test(event)).toBe(false)
  expect(compiled('data').test(event)).toBe(true)
  expect(compiled('$[?(1 = true)]').test(event)).toBe(true)
  expect(() => compiled('$.and')).toThrow()
})

test('the receiver shown tells a genuine delivery from another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-guide-'))
  try {
    const file = join(folder, 'receiver.mjs')
    await writeFile(file, blocks('js')[0] ?? '')
    const { isGenuine } = await import(pathToFileURL(file).href)
    const [secret, old] = [newSigningSecret(), newSigningSecret()]
    const body = '{"eventType": "é"}'
    const timestamp = Math.floor(Date.now() / 1_000)
    const headers = webhookHeaders({ id: 'some-id', timestamp, body, secrets: [secret, old] })
    expect(isGenuine(headers, body, secret)).toBe(true)
    expect(isGenuine(headers, Buffer.from(body), old)).toBe(true)
    expect(isGenuine(headers, `${body} `, secret)).toBe(false)
    expect(isGenuine(headers, body, newSigningSecret())).toBe(false)
    expect(isGenuine({}, body, secret)).toBe(false)
  } finally {
    await rm(folder, { recursive: true })
  }
})
