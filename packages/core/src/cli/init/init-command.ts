/** `init`: a project of the author's own, that runs and passes its test. */
import { basename, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DISPATCHER_NAME_PATTERN } from '../../events/dispatcher-name.ts'
import { type Command, EXIT } from '../command.ts'
import { UsageError } from '../errors.ts'
import { makeProject } from './make-project.ts'

const TEMPLATES = ['typescript', 'python', 'shell'] as const
type Template = (typeof TEMPLATES)[number]

export const initCommand: Command = {
  usage: '  pacifica-dispatcher init [PATH/]NAME [--template typescript|python|shell]',
  async run(argv, { folder, out }) {
    const { name, target, template } = read(argv, folder)
    const files = await makeProject({ name, target, template })
    const place = relative(folder, target) || '.'
    out.write(
      `${files.map((file) => `  ${place}/${file}\n`).join('')}
The dispatcher "${name}" is made. Next:

  cd ${place}
  npm install
  npm test
  npm run try      # one event, here; the result is in out/
`,
    )
    return EXIT.done
  },
}

function read(argv: readonly string[], folder: string) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { template: { type: 'string', default: 'typescript' } },
    allowPositionals: true,
  })
  const [path, ...others] = positionals
  if (path === undefined) throw new UsageError('say what the dispatcher is called: init NAME')
  if (others.length > 0) throw new UsageError(`one name, not also ${others.join(', ')}`)
  const target = resolve(folder, path)
  const name = basename(target)
  if (!DISPATCHER_NAME_PATTERN.test(name)) {
    const what = JSON.stringify(name)
    throw new UsageError(`a dispatcher's name is 1 to 64 of a-z, 0-9 and -, not ${what}`)
  }
  const { template } = values
  if (!isTemplate(template)) {
    throw new UsageError(`there is no template ${template}; there are ${TEMPLATES.join(', ')}`)
  }
  return { name, target, template }
}

function isTemplate(word: string): word is Template {
  return (TEMPLATES as readonly string[]).includes(word)
}
