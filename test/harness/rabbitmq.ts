/**
 * A RabbitMQ for tests: a private node in a temporary folder, or, with TEST_AMQP_URL, a broker that is already there.
 * On that one tests share the URL's virtual host, so they use names of their own and delete what they declared.
 */
import { randomBytes } from 'node:crypto'
import { type HaltMode, startNode } from './rabbitmq-node.ts'

export interface TestVhost {
  readonly name: string
  readonly url: string
  drop(): Promise<void>
}

export interface Rabbitmq {
  /** Of the virtual host `/`. */
  readonly url: string
  /** An empty virtual host; with TEST_AMQP_URL, the one of the URL. */
  createVhost(): Promise<TestVhost>
  /** `rabbitmqctl`: gives its standard output. Like those below, not on a broker that is not ours. */
  ctl(...words: string[]): Promise<string>
  halt(how: HaltMode): Promise<void>
  resume(): Promise<void>
  restart(how: HaltMode): Promise<void>
  stop(): Promise<void>
}

export interface RabbitmqOptions {
  /** A node of our own also with TEST_AMQP_URL: for tests that break it. */
  readonly own?: boolean
}

export async function startRabbitmq(options: RabbitmqOptions = {}): Promise<Rabbitmq> {
  const { TEST_AMQP_URL: given } = process.env
  if (given && !options.own) return foreignBroker(given)
  const node = await startNode()
  // A node speaks AMQP a little before it takes commands.
  let takesCommands: Promise<unknown> | undefined
  return {
    ...node,
    async createVhost() {
      takesCommands ??= node.ctl('await_startup')
      await takesCommands
      const name = `test-${process.pid}-${randomBytes(5).toString('hex')}`
      await node.ctl('add_vhost', name)
      await node.ctl('set_permissions', '--vhost', name, 'guest', '.*', '.*', '.*')
      const drop = async () => {
        await node.ctl('delete_vhost', name)
      }
      return { name, url: `${node.url}/${name}`, drop }
    },
    async restart(how) {
      await node.halt(how)
      await node.resume()
    },
  }
}

function foreignBroker(url: string): Rabbitmq {
  return {
    url,
    createVhost: async () => ({ name: '', url, async drop() {} }),
    ctl: notOurs,
    halt: notOurs,
    resume: notOurs,
    restart: notOurs,
    async stop() {},
  }
}

async function notOurs(): Promise<never> {
  throw new Error('The broker of TEST_AMQP_URL is not ours to command: ask for one with `own`.')
}
