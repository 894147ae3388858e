/** The files that docs/guides/deploy-a-dispatcher.md shows are held against the code: Docker does not run here. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DISPATCHER_NAME_PATTERN } from '@pacifica/core'
import { dispatcherSettings } from '@pacifica/dispatcher'
import { parseDuration, STOP_MS } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { copyOf, readDockerfile, wordsOf } from '../harness/dockerfile.ts'
import { type ComposeFile, composeText, VARIABLE } from '../harness/index.ts'
import { ROOT } from './imports.ts'

const guide = await readFile(join(ROOT, 'docs/guides/deploy-a-dispatcher.md'), 'utf8')
const blocks = [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
const blocksOf = (language: string) =>
  blocks.filter(([, found]) => found === language).map(([, , code = '']) => code)
const ENTRY = 'apps/dispatcher/dist/main.js'
const variables = Object.values(dispatcherSettings).flatMap(({ variable, aliases, secret }) => {
  const names = [variable, ...aliases]
  return secret ? [...names, ...names.map((name) => `${name}_FILE`)] : names
})
const known = [...variables, 'BROKER_URL', 'BROKER_URL_FILE']

function composeOf(text: string): ComposeFile {
  const reviver = (_key: unknown, value: unknown) =>
    typeof value === 'string' ? value.replace(VARIABLE, 'filled-in') : value
  return parse(text, reviver, { merge: true })
}

const site = composeOf(await composeText())
const override = composeOf(blocksOf('yaml')[0] ?? '')
const { spectra, 'migrate-spectra': migrate } = override.services

test('the image is made from ours, runs as its user, and loads the module that it copies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-guide-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), blocksOf('dockerfile')[0] ?? '')
    const [stage, ...more] = await readDockerfile(join(folder, 'Dockerfile'))
    expect([stage?.from, more]).toEqual(['pacifica-events', []])
    const steps = stage?.steps ?? []
    const said = (what: string) =>
      steps.filter(({ instruction }) => instruction === what).map(({ text }) => text)
    expect(said('USER').at(-1)).toBe('pacifica')
    expect(wordsOf(said('CMD')[0] ?? '')).toEqual([ENTRY])
    const url = `http://127.0.0.1:${dispatcherSettings.port.default}/healthz`
    expect(said('HEALTHCHECK')[0]).toContain(JSON.stringify(url))
    const [name, module = ''] = (said('ENV')[0] ?? '').split('=')
    expect(known).toContain(name)
    const targets = steps.filter(({ instruction }) => instruction === 'COPY').map(copyOf)
    expect(targets.some(({ target }) => module.startsWith(target))).toBe(true)
    expect(spectra?.environment?.[name ?? '']).toBe(module)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the second dispatcher has a name, a database and a step that migrates it, all of its own', () => {
  expect(spectra?.command).toEqual([ENTRY])
  expect(migrate?.command).toEqual([ENTRY, '--migrate'])
  expect(spectra?.environment?.['DISPATCHER_NAME']).toMatch(DISPATCHER_NAME_PATTERN)
  const url = '/run/secrets/spectra_database_url'
  for (const service of [spectra, migrate])
    expect(service?.environment?.['DISPATCHER_DATABASE_URL_FILE']).toBe(url)
  expect(spectra?.environment?.['MIGRATE_AT_START']).toBe('no')
  expect(Object.keys(spectra?.depends_on ?? {})).toEqual(['migrate-spectra', 'rabbitmq'])
})

test('it is set up like the dispatcher of the site', () => {
  const pattern = site.services['dispatcher']
  const same = [
    'init',
    'restart',
    'stop_grace_period',
    'networks',
    'deploy',
    'healthcheck',
  ] as const
  for (const key of [...same, 'cap_drop', 'security_opt', 'logging'] as const)
    expect([key, Reflect.get(spectra ?? {}, key)]).toEqual([key, Reflect.get(pattern ?? {}, key)])
  expect(parseDuration(spectra?.stop_grace_period ?? '')).toBeGreaterThan(STOP_MS)
  const needed = Object.keys(pattern?.environment ?? {})
  expect(Object.keys(spectra?.environment ?? {})).toEqual(expect.arrayContaining(needed))
})

test('its settings are known; others are there for handlers, and are handed on', () => {
  const { DISPATCHER_HANDLER_ENV: handedOn = '', ...environment } = spectra?.environment ?? {}
  const others = Object.keys(environment).filter((name) => !known.includes(name))
  expect(others.length).toBeGreaterThan(0)
  expect(handedOn.split(',').sort()).toEqual(others.sort())
  for (const value of Object.values(environment)) expect(value).toBeTypeOf('string')
})

test('it is given the secrets that it names, and each of them is there', () => {
  for (const { secrets = [], environment = {} } of Object.values(override.services)) {
    const named = Object.values(environment).flatMap(
      (value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? [],
    )
    if (named.length > 0) expect([...secrets].sort()).toEqual(named.sort())
    for (const name of secrets)
      expect({ ...site.secrets, ...override.secrets }).toHaveProperty([String(name)])
  }
  for (const name of Object.keys(override.secrets))
    expect(blocksOf('sh').join('')).toContain(`secrets/${name}`)
})

test('what the guide names is there: settings, commands, metrics, services, files', async () => {
  const code = [...guide.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)
  const settings = code.filter((text) => /^(DISPATCHER|CARTD|INGEST)_[A-Z_]+$/.test(text))
  const ofCompose = [...(await composeText()).matchAll(VARIABLE)].map(([, name = '']) => name)
  expect(settings.filter((name) => ![...known, ...ofCompose].includes(name))).toEqual([])
  const env = blocksOf('sh').flatMap((text) => [...text.matchAll(/^([A-Z_]+)=/gm)])
  expect(env.map(([, name]) => name).filter((name) => !ofCompose.includes(name ?? ''))).toEqual([])

  const metrics = await readFile(join(ROOT, 'docs/guides/metrics.md'), 'utf8')
  const counted = [...guide.matchAll(/pacifica_\w+/g)].map(([name]) => name)
  expect(counted.filter((name) => !metrics.includes(name))).toEqual([])

  const cli = await readFile(join(ROOT, 'apps/dispatcher/src/cli/run-cli.ts'), 'utf8')
  const asked = [
    ...guide.matchAll(/(?:cli\/main\.js|`)[ ]?(list|show|log|retry|dry-run|cancel)\b/g),
  ]
  expect(new Set(asked.map(([, command]) => command)).size).toBe(6)
  for (const [, command = ''] of asked) expect(cli).toMatch(new RegExp(`^  ${command} `, 'm'))

  const services = { ...site.services, ...override.services }
  const composed = blocksOf('sh').flatMap((text) => [...text.matchAll(/^docker compose .*$/gm)])
  for (const [line] of composed)
    expect(
      line.split(' ').some((word) => word in services),
      line,
    ).toBe(true)
  for (const path of ['deploy/prometheus/alerts.yml', 'deploy/postgres/databases.sh'])
    await readFile(join(ROOT, path))
})
