import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from 'commander'
import fc from 'fast-check'
import { anyText } from '../testing/text-arbitraries.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { formatGroup, printable } from './format-group.ts'
import { describeProblem, toFailure } from './group-command.ts'
import { toEntityTag } from './group-options.ts'
import { collectKey, collectLabel, type Labels, toLabels } from './label-options.ts'
import { toPatch } from './update-command.ts'

const GROUP = {
  groupId: 'team-a',
  version: 2,
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-03T03:04:05.678Z',
}

const PROBLEM = {
  status: 503,
  code: 'unavailable',
  title: 'Unavailable',
  detail: 'Too few nodes answered.',
  outcome: 'not_applied',
  errors: [],
}

test('a group is shown line by line, without lines for fields that it lacks', () => {
  assert.equal(
    formatGroup({ ...GROUP, description: 'The A team', labels: { env: 'prod', tier: '1' } }, '"2-ab"'),
    [
      'groupId      team-a',
      'description  The A team',
      'labels       env=prod',
      '             tier=1',
      'version      2',
      'etag         "2-ab"',
      'created      2026-01-02T03:04:05.678Z',
      'updated      2026-01-03T03:04:05.678Z',
    ].join('\n'),
  )
  assert.equal(formatGroup(GROUP, undefined).split('\n').length, 4)
})

test('no text of a group reaches the terminal as a control character', () => {
  assert.equal(printable('a\u001b[31m\nb\u009b\t'), 'a\\u001b[31m\\nb\\u009b\\t')
  fc.assert(
    fc.property(anyText(), (text) => {
      assert.doesNotMatch(printable(text), /\p{Cc}/u)
    }),
  )
})

test('the key of a label ends at the first equals sign', () => {
  assert.deepEqual(collectLabel('a=b=c', [['x', '']]), [
    ['x', ''],
    ['a', 'b=c'],
  ])
  assert.deepEqual(collectLabel('a='), [['a', '']])
  for (const text of ['', 'a', '=a']) assert.throws(() => collectLabel(text), InvalidArgumentError)
  assert.throws(() => collectLabel('a=2', [['a', '1']]), /given twice/)
  assert.throws(() => collectKey(''), InvalidArgumentError)
})

test('labels become properties, whatever they are called', () => {
  const key = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString'), fc.string({ minLength: 1 }))
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, fc.string()), { selector: ([name]) => name }),
      (labels: Labels) => {
        const parsed: object = JSON.parse(JSON.stringify(toLabels(labels)))
        assert.deepEqual(new Map(Object.entries(parsed)), new Map(labels))
      },
    ),
  )
})

test('a patch has the fields that are set, and null for those that are removed', () => {
  assert.deepEqual(toPatch({ description: '', label: [['a', '1']], removeLabel: ['b'] }), {
    description: '',
    labels: { a: '1', b: null },
  })
  assert.deepEqual(toPatch({ removeDescription: true }), { description: null })
})

test('an empty patch, and a patch that sets and removes the same field, are usage errors', () => {
  for (const options of [
    {},
    { description: 'a', removeDescription: true },
    { label: [['a', '1'] as const], removeLabel: ['a'] },
  ]) {
    assert.throws(
      () => toPatch(options),
      (error: unknown) => error instanceof CommandFailure && error.exitCode === EXIT.usage,
    )
  }
})

test('an ETag may be typed without its quotes', () => {
  assert.equal(toEntityTag('3-ab'), '"3-ab"')
  for (const text of ['"3-ab"', 'W/"3-ab"', '*', '"a", "b"']) assert.equal(toEntityTag(text), text)
  for (const text of ['', ' ', '"a"\r\nx: y', 'ä'])
    assert.throws(() => toEntityTag(text), InvalidArgumentError)
})

test('an error says its code and what it means for the data', () => {
  assert.equal(
    describeProblem(PROBLEM),
    'Too few nodes answered (503 unavailable): you may repeat the command; "cohort status" shows which nodes do not answer',
  )
  assert.match(
    describeProblem({ ...PROBLEM, status: 500, code: 'unreadable_group' }),
    / \(500 unreadable_group\): do not repeat the command/,
  )
  assert.match(
    describeProblem({ ...PROBLEM, outcome: 'unknown' }),
    /: the change may have been made, so read before/,
  )
  assert.equal(
    describeProblem({
      ...PROBLEM,
      outcome: undefined,
      errors: [{ field: 'groupId', message: 'is too long' }],
    }),
    'Too few nodes answered (503 unavailable)\n  groupId: is too long',
  )
  const errors = [{ field: 'groupId', message: 'is too long' }]
  assert.equal(
    describeProblem({
      ...PROBLEM,
      status: 400,
      code: 'bad',
      outcome: undefined,
      detail: 'groupId is too long',
      errors,
    }),
    'groupId is too long (400 bad)',
    'nothing is said twice',
  )
})

test('only an unknown outcome ends with its own exit code', () => {
  const url = 'http://a'
  const problem = (outcome: string | undefined) =>
    toFailure({ kind: 'problem', problem: { ...PROBLEM, outcome }, text: '' }, url).exitCode
  assert.equal(problem('unknown'), EXIT.unknown)
  assert.equal(problem('not_applied'), EXIT.failed)
  assert.equal(problem(undefined), EXIT.failed)
  assert.equal(toFailure({ kind: 'broken', reason: 'gone' }, url).exitCode, EXIT.unknown)
  const { exitCode, message } = toFailure({ kind: 'unreachable', reason: 'connection refused' }, url)
  assert.equal(exitCode, EXIT.failed)
  assert.match(message, /no connector answers at http:\/\/a \(connection refused\): start it there/)
  const here = toFailure({ kind: 'unreachable', reason: 'connection refused' }, 'http://localhost:8000')
  assert.match(here.message, /start a cluster with "cohort up"/)
})
