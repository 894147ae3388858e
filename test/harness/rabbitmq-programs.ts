/** Where RabbitMQ's programs are; on Debian as root they are installed when missing. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { canInstall, installDebianPackage } from './debian-package.ts'

/** Debian's own, not the wrappers in /usr/sbin: these insist on being root or the account rabbitmq. */
const DEBIAN_FOLDER = '/usr/lib/rabbitmq/bin'

/** The folder that holds `rabbitmq-server` and `rabbitmqctl`. Says so in one line if it has to install, or what to install. */
export function rabbitmqPrograms(): string {
  const found = find()
  if (found) return found
  if (!canInstall()) {
    throw new Error(
      'RabbitMQ is needed for these tests: install it (Debian: apt-get install rabbitmq-server; macOS: brew install rabbitmq), or set TEST_AMQP_URL to a broker that may be used.',
    )
  }
  console.log('RabbitMQ is missing: installing it with apt-get; no service is started.')
  installDebianPackage('rabbitmq-server')
  const installed = find()
  if (!installed)
    throw new Error(`apt-get installed rabbitmq-server, but it is not in ${DEBIAN_FOLDER}`)
  return installed
}

function find(): string | undefined {
  const { PATH = '' } = process.env
  return [DEBIAN_FOLDER, ...PATH.split(delimiter)].find((folder) =>
    ['rabbitmq-server', 'rabbitmqctl'].every((program) => existsSync(join(folder, program))),
  )
}
