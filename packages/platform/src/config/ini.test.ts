import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { parseIni } from './ini.ts'

const sections = (text: string) => parseIni(text, 'site.ini').sections

function mistakes(text: string): string[] {
  try {
    parseIni(text, 'site.ini')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

test('keys and values are told apart by the first = or :, blanks around them do not count', () => {
  const text = `[database]
PEEWEE_URL = postgres://user:secret@host/name
connect_attempts: 10
  connect_wait=20
empty =
[a b]
x=1`
  expect(sections(text)).toEqual({
    database: {
      peewee_url: 'postgres://user:secret@host/name',
      connect_attempts: '10\nconnect_wait=20',
      empty: '',
    },
    'a b': { x: '1' },
  })
})

test('comments begin a line; within a value # and ; are text', () => {
  const text = `; first
# second
[one]
  ; indented
a = 1 ; not a comment
b = 2#3`
  expect(sections(text)).toEqual({ one: { a: '1 ; not a comment', b: '2#3' } })
})

test('a value goes on in deeper indented lines, also after a comment or an empty line', () => {
  const text = `[one]
a = first
    second
# between
    third

    fourth

b =
  only
c = 3`
  expect(sections(text)).toEqual({
    one: { a: 'first\nsecond\nthird\n\nfourth', b: '\nonly', c: '3' },
  })
})

test('%(name)s stands for another key of the section or of [DEFAULT], %% for %', () => {
  const text = `[DEFAULT]
host = db.example.org
[database]
name = pacifica
peewee_url = postgres://me:p%%40ss@%(host)s/%(NAME)s`
  const ini = parseIni(text, 'site.ini')
  expect(ini.sections['database']?.['peewee_url']).toBe(
    'postgres://me:p%40ss@db.example.org/pacifica',
  )
  expect(ini.helpers).toEqual(['DEFAULT.host', 'database.name'])
  expect(ini.lines?.['database']).toEqual({ name: 4, peewee_url: 5 })
})

test('everything that is wrong is told at once, with its line and without values', () => {
  const text = `stray = 1
[one]
a = 1
A : 2
secret:hunter2 = x
just words
b = 100%
c = %(nowhere)s
d = %(d)s
[one]
= 5`
  expect(mistakes(text)).toEqual([
    'line 1 of site.ini: "stray " stands before the first [section]',
    'line 4 of site.ini: a in [one] stands in line 3 already',
    'line 6 of site.ini: "just words" is neither [section] nor key = value',
    'line 10 of site.ini: [one] stands in line 2 already',
    'line 11 of site.ini: "" is neither [section] nor key = value',
    "line 7 of site.ini: b: a single '%' must be written '%%'",
    'line 8 of site.ini: c: refers to %(nowhere)s, which is not there',
    'line 9 of site.ini: d: refers to itself through %(…)s',
  ])
})

test('line ends of any system and a byte order mark are taken', () => {
  expect(sections('\uFEFF[one]\r\na = 1\rb = 2\n')).toEqual({ one: { a: '1', b: '2' } })
})
