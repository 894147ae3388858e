/** The built service started as the Python service was: its INI file, CherryPy's file, its flags. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, createTestVhost, freePort, startService } from '../harness/index.ts'

let folder: string
let drop: () => Promise<void>
let ini: string
let cherryPy: string

/** As documented, but for the database, the broker, and a port of our own. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-configured-'))
  const server = await createTestDatabase()
  const broker = await createTestVhost()
  drop = async () => {
    await server.drop()
    await broker.drop()
  }
  ini = join(folder, 'config.ini')
  await writeFile(
    ini,
    `[notifications]
; The policy server endpoint to query
policy_url = http://127.0.0.1:8181

[celery]
broker_url = ${broker.url.replace('amqp:', 'pyamqp:')}
backend_url = rpc://

[database]
peewee_url = ${server.url.replace('postgresql:', 'postgresext:')}
connect_attempts = 10
connect_wait = 20
`,
  )
  cherryPy = join(folder, 'server.conf')
}, 360_000)
afterEach(async () => {
  await drop()
  await rm(folder, { recursive: true, force: true })
})

async function writeCherryPy(port: number): Promise<void> {
  await writeFile(
    cherryPy,
    `[global]
log.screen: True
log.access_file: 'access.log'
server.socket_host: '127.0.0.1'
server.socket_port: ${port}
engine.autoreload.on: False

[/]
request.dispatch: cherrypy.dispatch.MethodDispatcher()
`,
  )
}

test('it listens where the files say, says what of them it ignores, and stops after a moment', async () => {
  const port = await freePort()
  await writeCherryPy(port)
  const words = ['-c', ini, '--cpconfig', cherryPy, '--stop-after-a-moment']
  const service = startService(
    'apps/notifications/dist/main.js',
    { HOME: folder, DATA_DIR: folder },
    words,
  )
  await service.ready([`http://127.0.0.1:${port}`])
  expect(service.output()).toContain('backend_url is ignored')
  expect(service.output()).toContain('[/] request.dispatch')
  expect(await service.ended()).toBe(0)
}, 120_000)

test('-p wins over the file; all that is wrong is told at once', async () => {
  await writeCherryPy(1)
  const port = await freePort()
  const env = { NOTIFICATIONS_CONFIG: ini, NOTIFICATIONS_CPCONFIG: cherryPy, HOME: folder }
  const main = 'apps/notifications/dist/main.js'
  const service = startService(main, { ...env, DATA_DIR: folder }, ['-p', String(port)])
  await service.ready([`http://127.0.0.1:${port}`])
  await service.kill('SIGTERM')
  await writeFile(
    ini,
    '[notifications]\npolicy_ulr = x\n[database]\npeewee_url = sqliteext:///db\n',
  )
  const wrong = startService(main, { ...env, DATA_DIR: folder, NOTIFICATIONS_PRT: '1' })
  expect(await wrong.ended()).toBe(1)
  for (const line of [
    `[database] peewee_url, line 4 of ${ini}: SQLite is not used`,
    `[notifications] policy_ulr, line 2 of ${ini}: unknown: did you mean notifications.policy_url?`,
    'POLICY_URL: not set',
    'NOTIFICATIONS_PRT: unknown: did you mean NOTIFICATIONS_PORT?',
  ])
    expect(wrong.output()).toContain(line)
}, 120_000)
