import { expect, test } from 'vitest'
import { compare, MOST_LISTED } from './compare.ts'
import { MOST_MEMBERS, manifestOf } from './manifest.ts'

const modified = new Date(0)
function holding(contents: Readonly<Record<string, string>>) {
  const files = Object.entries(contents)
  return manifestOf(files.map(([path, sha1]) => ({ path, sha1, size: sha1.length, modified })))
}

function compared(before: Parameters<typeof holding>[0], now: Parameters<typeof holding>[0]) {
  const earlier = { number: 1, manifest: holding(before), bundle: null, jobId: 7 }
  const made = { number: 1, manifest: holding(now), bundle: '/d/x.tar' }
  return compare('T-1', [earlier], [made])
}

test('what has come, gone and changed is listed with sizes and hashes; the order of files does not matter', () => {
  const { same, uploads } = compared({ a: '1', b: '22', c: '3' }, { d: '4', c: '3', b: '333' })
  expect(same).toBe(false)
  expect(uploads).toEqual([
    {
      number: 1,
      before: { files: 3, bytes: 4, bundle: null, jobId: 7 },
      now: { files: 3, bytes: 5, bundle: '/d/x.tar' },
      same: false,
      counts: { added: 1, removed: 1, changed: 1, unchanged: 1 },
      added: [{ path: 'd', size: 1, sha1: '4' }],
      removed: [{ path: 'a', size: 1, sha1: '1' }],
      changed: [{ path: 'b', before: { size: 2, sha1: '22' }, now: { size: 3, sha1: '333' } }],
    },
  ])
  expect(compared({ a: '1', b: '2' }, { b: '2', a: '1' })).toMatchObject({
    same: true,
    uploads: [{ counts: { unchanged: 2 }, added: [], removed: [], changed: [] }],
  })
})

test('an upload that is made no more, or for the first time, is a difference', () => {
  const [manifest, bundle, jobId] = [holding({ a: '1' }), null, null]
  const gone = compare('T-1', [{ number: 1, manifest, bundle, jobId }], [])
  expect(gone).toMatchObject({ same: false, uploads: [{ now: null, counts: { removed: 1 } }] })
  const fresh = compare('T-1', [], [{ number: 1, manifest, bundle }])
  expect(fresh).toMatchObject({ same: false, uploads: [{ before: null, counts: { added: 1 } }] })
})

test('where nothing is known of what was before, nothing is said of whether it is the same', () => {
  const now = [{ number: 1, manifest: holding({ a: '1' }), bundle: null }]
  expect(compare(null, [], now)).toMatchObject({ comparedWith: null, same: null })
  const unknown = { number: 1, manifest: null, bundle: null, jobId: 7 }
  expect(compare('T-1', [unknown], now)).toMatchObject({
    same: null,
    uploads: [{ same: null, counts: null, added: [] }],
  })
})

test('bundles of very many files are told apart as a whole, and lists are cut', () => {
  const many = (count: number, sha1: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, sha1]))
  const huge = compared(many(MOST_MEMBERS + 1, '1'), many(MOST_MEMBERS + 1, '2'))
  expect(huge.uploads[0]).toMatchObject({ same: false, counts: null, changed: [] })
  const long = compared({}, many(MOST_LISTED + 1, '1'))
  expect(long.uploads[0]?.added).toHaveLength(MOST_LISTED)
  expect(long.uploads[0]?.counts?.added).toBe(MOST_LISTED + 1)
})
