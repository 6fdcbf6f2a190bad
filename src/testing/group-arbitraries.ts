/** Any legal group, for property tests. Labels are often named like parts of JavaScript's objects. */
import fc from 'fast-check'
import type { Group, Labels } from '../group/group.ts'
import { LABEL_KEY_LENGTH_MAX, LABELS_MAX } from '../group/limits.ts'
import { anyText } from './text-arbitraries.ts'

const AWKWARD_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '0', '-1', '']

/** Text that the API accepts: no control characters, no lone surrogates. */
const text = anyText({ maxLength: 12 }).filter((value) => value.isWellFormed() && !/\p{Cc}/u.test(value))

export const labelKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...AWKWARD_NAMES.filter((name) => name !== '')),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: LABEL_KEY_LENGTH_MAX }),
)

/** Built from entries: an object literal or an assignment would lose a label named `__proto__`. */
export function labels(maxLength: number = LABELS_MAX): fc.Arbitrary<Labels> {
  return fc
    .uniqueArray(fc.tuple(labelKey, text), { maxLength, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries))
}

const time = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString())

export const group: fc.Arbitrary<Group> = fc
  .record(
    {
      groupId: fc.oneof(fc.constantFrom('a/b', '.', '..', '🦊'), fc.string({ minLength: 1, maxLength: 20 })),
      // The only control characters that a description may have.
      description: fc.oneof(text, fc.constant('a\tb\r\nc')),
      labels: labels(8).filter((value) => Object.keys(value).length > 0),
      version: fc.integer({ min: 1 }),
      incarnation: fc.stringMatching(/^[0-9a-f]{16}$/),
      times: fc.tuple(time, time),
      author: fc.record({
        updatedBy: fc.constantFrom('key:k1', 'jwt:a "b" \\', 'anonymous:everyone'),
        requestId: fc.stringMatching(/^[!-~]{1,20}$/),
      }),
    },
    { requiredKeys: ['groupId', 'version', 'incarnation', 'times', 'author'] },
  )
  .map(({ times, author, ...rest }) => {
    const [createdAt, updatedAt] = [...times].sort() as [string, string]
    return { ...rest, createdAt, updatedAt, ...author }
  })
