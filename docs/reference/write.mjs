/**
 * Writes the reference from the TSDoc of what the packages export: `node docs/reference/write.mjs [FOLDER]`. Ends with 1,
 * and says what, when something that authors can reach is not documented; then it writes nothing.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Application, Comment, CommentTag, Converter, PageEvent, ReflectionKind } from 'typedoc'

/** In the order in which they are listed. */
const PACKAGES = ['core', 'jsonpath']

/** Exported for our own dispatcher alone. */
const OURS = new Set(['./end-marked', './entry-file'])

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const INTRODUCTION = `# Reference

What can be imported from the packages that authors of dispatchers use, made from the comments in their
sources by \`npm run reference\`. To begin with, read [your first handler](../guides/your-first-handler.md).
`

const text = (said) => [{ kind: 'text', text: said }]

/** What every error of ours has, and need not be said in each class. */
const OF_EVERY_ERROR = {
  name: "The class's name: what logs and tasks call the error.",
  code: 'Tells the cause to programs. It stays as it is when the message is worded anew.',
}

/** The member that tells the members of a union apart. */
const OF_EVERY_KIND = 'Which member of the union it is.'

const isKind = ({ name, type }) => name === 'kind' && type?.type === 'literal'

/** Entry point → name in the reference: each export of a package.json with its source. `./testing` is `core-testing`. */
async function entryPoints() {
  const found = new Map()
  for (const folder of PACKAGES) {
    const manifest = await readFile(here(`../../packages/${folder}/package.json`), 'utf8')
    for (const [path, { source }] of Object.entries(JSON.parse(manifest).exports)) {
      if (source === undefined || OURS.has(path)) continue
      const name = folder + path.slice(1).replaceAll('/', '-')
      found.set(here(`../../packages/${folder}/${source.slice(2)}`), name)
    }
  }
  return found
}

async function createApplication(entries) {
  return await Application.bootstrapWithPlugins({
    name: 'Reference',
    entryPoints: [...entries.keys()],
    tsconfig: here('tsconfig.json'),
    basePath: here('../..'),
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    mergeReadme: true,
    out: process.argv[2] ?? here('.'),
    // It is this very folder.
    cleanOutputDir: false,
    sort: ['alphabetical'],
    groupOrder: ['Classes', 'Functions', 'Interfaces', '*', 'Errors'],
    excludePrivate: true,
    excludeExternals: true,
    excludeInternal: true,
    // Nothing that another commit or another machine would change.
    disableSources: true,
    disableGit: true,
    router: 'module',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    expandObjects: true,
    pageTitleTemplates: { module: ({ name }) => `@pacifica/${name.replace('-', '/')}` },
    tableColumnSettings: {
      hideDefaults: true,
      hideInherited: true,
      hideModifiers: true,
      hideOverrides: true,
    },
    packagesRequiringDocumentation: PACKAGES.map((folder) => `@pacifica/${folder}`),
    validation: {
      notExported: true,
      invalidLink: true,
      rewrittenLink: true,
      notDocumented: true,
      invalidPath: true,
      unusedMergeModuleWith: true,
    },
    treatValidationWarningsAsErrors: true,
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
  })
}

/** The names that authors import by, and what every error has. */
function adapt(project, entries) {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    const entry = [...entries].find(([file]) =>
      file.replace(/(\/index)?\.ts$/, '').endsWith(module.name),
    )
    if (entry === undefined) throw new Error(`no entry point is called ${module.name}`)
    module.name = entry[1]
  }
  for (const kind of project.getReflectionsByKind(ReflectionKind.Property).filter(isKind)) {
    kind.comment ??= new Comment(text(OF_EVERY_KIND))
  }
  project.readme = text(INTRODUCTION)
  for (const error of project.getReflectionsByKind(ReflectionKind.Class).filter(isError)) {
    error.comment?.blockTags.push(new CommentTag('@group', text('Errors')))
    for (const [name, said] of Object.entries(OF_EVERY_ERROR)) {
      const member = error.getChildByName([name])
      if (member && !member.hasComment()) member.comment = new Comment(text(said))
    }
    // Authors catch them; they make those alone whose constructor says how.
    const made = error.children?.find((child) => child.kindOf(ReflectionKind.Constructor))
    const isSaid = made?.signatures?.some(({ comment }) => comment && comment.summary.length > 0)
    if (made && !isSaid) project.removeReflection(made)
  }
}

/** A method that another class declares takes the same things: what is said of them there is not repeated. */
function inheritParameters(project) {
  for (const signature of project.getReflectionsByKind(ReflectionKind.CallSignature)) {
    const declared = (signature.overwrites ?? signature.implementationOf)?.reflection
    for (const parameter of signature.parameters ?? []) {
      const same = declared?.parameters?.find(({ name }) => name === parameter.name)
      if (same?.comment && !parameter.hasComment()) parameter.comment = same.comment.clone()
    }
  }
}

function isError(reflection) {
  const base = reflection.extendedTypes?.[0]
  if (base?.name === 'Error') return true
  return base?.reflection !== undefined && isError(base.reflection)
}

/** typedoc itself does not ask for parameters. Those of a function that is a member's value are the member's to explain. */
function undocumentedParameters(project) {
  return project
    .getReflectionsByKind(ReflectionKind.CallSignature | ReflectionKind.ConstructorSignature)
    .filter(({ parent }) =>
      parent?.kindOf(ReflectionKind.FunctionOrMethod | ReflectionKind.Constructor),
    )
    .flatMap(({ parameters = [] }) => parameters)
    .filter((parameter) => !parameter.hasComment())
    .map((parameter) => `${parameter.getFriendlyFullName()} is a parameter without @param`)
}

const entries = await entryPoints()
const app = await createApplication(entries)
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => adapt(project, entries))
app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => inheritParameters(project))
// They are numbered through: one new member would change the lines of a hundred others.
app.renderer.on(PageEvent.END, (page) => {
  page.contents = page.contents
    .replace(/<a id="(type-parameter|property)-[^"]*"><\/a> /g, '')
    .replace(/\[(`[^`]*`)\]\([^)]*#property-[^)]*\)/g, '$1')
})
const project = await app.convert()
if (project) {
  app.validate(project)
  for (const problem of undocumentedParameters(project)) app.logger.error(problem)
}
if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings())
  process.exitCode = 1
else await app.generateOutputs(project)
