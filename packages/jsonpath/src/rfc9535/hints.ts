/** The commonest mistakes, most of them right in the other dialect, and what to write instead. */

interface Place {
  readonly text: string
  readonly offset: number
  /** From the error on. */
  readonly rest: string
  /** Before the error, white space at its end left out. */
  readonly before: string
}

interface Mistake {
  readonly fits: (place: Place) => boolean
  readonly hint: string | ((place: Place) => string)
}

const WORD = /^[A-Za-z_][A-Za-z0-9_]*/

const MISTAKES: readonly Mistake[] = [
  { fits: (p) => p.offset === 0 && /^\s/.test(p.rest), hint: 'leave out the space before it' },
  { fits: (p) => /^\s+$/.test(p.rest), hint: 'leave out the space at the end' },
  { fits: (p) => p.offset === 0, hint: missingRoot },
  {
    fits: (p) => p.rest.startsWith('=~') || p.rest.startsWith('~'),
    hint: "patterns are functions: match(@.name, 'whole.*') or search(@.name, 'part')",
  },
  { fits: (p) => /^=([^=]|$)/.test(p.rest), hint: "equality is two signs: '=='" },
  { fits: (p) => /^and\b/i.test(p.rest), hint: "write '&&' for 'and'" },
  { fits: (p) => /^or\b/i.test(p.rest), hint: "write '||' for 'or'" },
  { fits: (p) => /^not\b/i.test(p.rest), hint: "write '!' for 'not', as in !@.a or !(@.a == 1)" },
  {
    fits: (p) => /^contains\b/.test(p.rest),
    hint: "there is no 'contains': use search(@.name, 'text'), or a filter on the items",
  },
  { fits: (p) => /^&([^&]|$)/.test(p.rest), hint: "'and' is two signs: '&&'" },
  { fits: (p) => /^\|([^|]|$)/.test(p.rest), hint: "'or' is two signs: '||'" },
  { fits: (p) => p.before.endsWith('<') && p.rest.startsWith('>'), hint: "'not equal' is '!='" },
  {
    fits: (p) => /[[,]$/.test(p.before) && WORD.test(p.rest),
    hint: (p) => `names in brackets take quotes: ['${word(p)}']`,
  },
  {
    fits: (p) => p.rest.startsWith('(') && /\.[a-zA-Z]+$/.test(p.before),
    hint: 'functions stand before what they are applied to, in a filter: $[?length(@.name) > 3]',
  },
  {
    fits: (p) => /\.$/.test(p.before) && /^[[?(]/.test(p.rest),
    hint: 'leave the dot out: brackets follow directly, as in $.list[0] or $.list[?@.on]',
  },
  {
    fits: (p) => /\.$/.test(p.before),
    hint: "a name or '*' must follow the last dot, with no space between",
  },
  {
    fits: (p) => /[A-Za-z0-9_]$/.test(p.text.slice(0, p.offset)) && /^[-/#%^@]/.test(p.rest),
    hint: "a name with other characters than letters, digits and _ is written ['like this']",
  },
  {
    fits: (p) => /^[=!<>]/.test(p.rest) && !p.before.includes('?'),
    hint: "conditions stand in a filter: $[?@.name == 'x']",
  },
  {
    fits: (p) => /^[=!<>]/.test(p.rest) && /!\s*[@$][^()]*$/.test(p.before),
    hint: "'!' takes parentheses before a comparison: !(@.a == 1)",
  },
  {
    fits: (p) => /^[[{]/.test(p.rest),
    hint: 'arrays and objects cannot be written here: compare their parts',
  },
  {
    fits: (p) => /^(true|false|null|none)\b/i.test(p.rest),
    hint: 'true, false and null are written in lower case, and only beside a comparison',
  },
  {
    fits: (p) => /^(-0|[+.]?[0-9])/.test(p.rest),
    hint: 'numbers are written as in JSON; an index has no leading zero, no sign + and no point',
  },
]

/** What the author probably meant, or undefined for a mistake that is not a common one. */
export function hintFor(text: string, offset: number): string | undefined {
  const rest = text.slice(offset)
  const place = { text, offset, rest, before: text.slice(0, offset).trimEnd() }
  const hint = MISTAKES.find((mistake) => mistake.fits(place))?.hint
  return typeof hint === 'function' ? hint(place) : hint
}

/** For a call of a function that does not exist. */
export function functionHint(name: string): string {
  if (name === 'size' || name === 'len') return 'did you mean length()?'
  if (/regex|test|matches/.test(name)) return "did you mean match(@.name, 'pattern')?"
  if (/contains|find|includes/.test(name)) return "did you mean search(@.name, 'pattern')?"
  return 'there are length, count, value, match and search'
}

function word({ rest }: Place): string {
  return WORD.exec(rest)?.[0] ?? ''
}

function missingRoot(place: Place): string {
  const name = word(place)
  return name === '' ? "an expression starts with '$', the whole event" : `did you mean $.${name}?`
}
