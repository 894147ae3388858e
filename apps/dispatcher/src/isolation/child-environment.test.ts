import { expect, test } from 'vitest'
import { childEnvironment } from './child-environment.ts'

const env = {
  PATH: '/bin',
  LANG: 'C.UTF-8',
  LC_TIME: 'de_DE',
  DISPATCHER_DATABASE_URL: 'postgresql://joe:secret@db/x',
  BROKER_URL: 'amqp://joe:secret@mq/',
  INGEST_PASSWORD: 'secret',
  MODEL_DIR: '/models',
  UNSET: undefined,
}

test('a handler sees what programs need, what the operator lists, and nothing of ours', () => {
  const names = ['MODEL_DIR', 'UNSET', 'NOT_THERE']
  expect(childEnvironment(env, { names, folder: '/scratch', mark: 'm' })).toEqual({
    PATH: '/bin',
    LANG: 'C.UTF-8',
    LC_TIME: 'de_DE',
    MODEL_DIR: '/models',
    TMPDIR: '/scratch/tmp',
    TMP: '/scratch/tmp',
    TEMP: '/scratch/tmp',
    PACIFICA_TASK_PROCESS: 'm',
    PACIFICA_TASK_CHILD: '1',
  })
})
