/** Handlers of every kind that a dispatcher must cope with, by the event's type. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineDispatcher, EventHandler, RetryableError, Transaction } from '@pacifica/core'

/** In its process group, and in a group of its own. */
function startHelpers() {
  for (const detached of [false, true]) spawn('sleep', ['1000'], { detached, stdio: 'ignore' })
}

const SUBJECT = { transaction: new Transaction({ submitter: 10 }), keyValues: [] }
const forever = () => new Promise(() => setInterval(() => {}, 1_000))

const works = {
  async good({ folder, log, progress, taskId, signal, uploader }) {
    console.log('to standard output')
    console.error('to standard error')
    log.info('to the log', { taskId, aborted: signal.aborted, open() {} })
    progress({ step: 'counting', done: 1, total: 2 })
    const { SECRET, SHOWN, HOME } = process.env
    const seen = { SECRET, SHOWN, HOME, here: process.cwd(), temporary: tmpdir() }
    await writeFile(join(folder, 'seen.json'), JSON.stringify(seen))
    const onNews = (said) => log.info(said)
    const { jobId } = await uploader.upload(folder, { ...SUBJECT, onNews })
    log.info(`job ${jobId}`)
  },
  async helpers() {
    startHelpers()
  },
  async busy() {
    startHelpers()
    console.log('busy')
    for (;;) Math.sqrt(2)
  },
  async deaf() {
    startHelpers()
    console.log('deaf')
    await forever()
  },
  async listens({ signal }) {
    console.log('listening')
    await new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    )
  },
  async throws() {
    throw new TypeError('the spectrometer model is missing')
  },
  async later() {
    throw new RetryableError('the licence server is busy', { retryAfterMs: 1_234 })
  },
  async thrownLater() {
    setTimeout(() => {
      throw new RangeError('thrown by a timer')
    })
    await forever()
  },
  async exits() {
    startHelpers()
    process.exit(3)
  },
  async killed() {
    startHelpers()
    process.kill(process.pid, 'SIGKILL')
    await forever()
  },
  async terminated() {
    process.kill(process.pid, 'SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 100))
  },
  async elsewhere({ uploader }) {
    await uploader.upload('/etc', SUBJECT)
  },
  async refused({ folder, uploader, log }) {
    await writeFile(join(folder, 'x.txt'), 'x')
    const error = await uploader.upload(folder, SUBJECT).catch((thrown) => thrown)
    log.info(`${error.constructor.name} ${error.code} ${error.status}`)
    throw error
  },
}

class Odd extends EventHandler {
  async handle(event, context) {
    await works[event.type](context)
  }
}

export default defineDispatcher({
  name: 'odd',
  routes: Object.keys(works).map((type) => ({
    path: `$[?($["eventType"] = "${type}")]`,
    handler: new Odd(),
  })),
})
