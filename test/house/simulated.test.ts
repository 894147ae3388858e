/** The simulated Pacifica stands beside the product and must not be made of it: then it would agree with its mistakes. */
import { expect, test } from 'vitest'
import { importsOf, isTest } from './imports.ts'

const FOLDER = 'apps/standalone/src/pacifica/'

test('the simulated services import nothing of what they are to test', async () => {
  const imports = (await importsOf('apps/standalone')).filter(({ file }) => file.startsWith(FOLDER))
  const own = imports.filter(({ file }) => !isTest(file))
  expect(own.length).toBeGreaterThan(20)
  const others = own.filter(({ specifier }) => !/^(\.\/|node:|tar-stream$)/.test(specifier))
  expect(others).toEqual([])
})
