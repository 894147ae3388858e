import type { Settings } from './read-config.ts'
import type { Setting } from './setting.ts'

/** The settings as a Markdown table for the docs: from the same declarations that are read. */
export function settingsTable(settings: Settings): string {
  const rows = Object.values(settings).map((setting) => {
    const cells = [names(setting), fallback(setting), setting.expects, setting.doc]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return ['| variable | default | value | what for |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function names(setting: Setting<unknown>): string {
  const own = setting.secret ? [setting.variable, `${setting.variable}_FILE`] : [setting.variable]
  const all = [...own, ...setting.aliases].map((name) => `\`${name}\``).join(', ')
  const [ini] = setting.ini
  return ini === undefined ? all : `${all}; INI \`${ini}\``
}

function fallback(setting: Setting<unknown>): string {
  if (setting.default) return `\`${setting.default}\``
  return setting.required ? 'required' : 'none'
}
