import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Labels } from './group.ts'
import { type LabelSelector, parseLabelSelector, REQUIREMENTS_MAX } from './label-selector.ts'

function selects(text: string, labels: Labels): boolean {
  const selector = parseLabelSelector(text)
  assert.ok(typeof selector === 'function', String(selector))
  return selector(labels)
}

const LABELS = { team: 'core', env: 'prod', empty: '', 'cost center': 'a,b' }

test('every form of a requirement, when it holds and when it does not', () => {
  for (const [text, expected] of [
    ['', true],
    ['  ', true],
    ['team', true],
    ['none', false],
    ['!none', true],
    ['! none', true],
    ['!team', false],
    ['team=core', true],
    ['team==core', true],
    ['team = core', true],
    ['team=edge', false],
    ['none=core', false],
    ['empty=', true],
    ['team=', false],
    ['none=', false],
    ['team!=core', false],
    ['team!=edge', true],
    ['none!=core', true],
    ['empty!=', false],
    ['env in (prod,stage)', true],
    ['env in(prod)', true],
    ['env in ( stage , prod )', true],
    ['env in (stage)', false],
    ['none in (prod)', false],
    ['empty in ()', true],
    ['empty in (a,)', true],
    ['env in ()', false],
    ['env notin (prod,stage)', false],
    ['env notin (stage)', true],
    ['none notin (stage)', true],
    ['team=core,env in (prod,stage),!legacy', true],
    ['team=core,env in (prod,stage),legacy', false],
    ['"cost center"="a,b"', true],
    ['"cost center" in ("a", "a,b")', true],
    ['"cost\\u0020center"', true],
    ['"team"="core"', true],
  ] as const) {
    assert.equal(selects(text, LABELS), expected, text)
  }
})

test('labels may be named like a word of the grammar, or like a part of a JavaScript object', () => {
  assert.equal(selects('in in (in),notin notin (in)', { in: 'in', notin: 'x' }), true)
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.equal(selects(name, {}), false)
    assert.equal(selects(`!${name}`, {}), true)
    assert.equal(selects(`${name}=a`, Object.fromEntries([[name, 'a']])), true)
  }
})

test('what is no selector is refused, with the place and what it should be', () => {
  for (const [text, reason] of [
    [',', 'at character 1 it has "," instead of the key of a label'],
    ['team,', 'at character 6 it has the end instead of the key of a label'],
    ['team core', 'at character 6 it has "c" instead of a comma'],
    ['!', 'at character 2 it has the end instead of the key of a label'],
    ['!team=core', 'at character 6 it has "=" instead of a comma'],
    ['=core', 'at character 1 it has "=" instead of the key of a label'],
    ['team=core=edge', 'at character 10 it has "=" instead of a comma'],
    ['🦊 in prod', 'at character 6 it has "p" instead of ( with the values after it'],
    ['env in (prod', 'at character 13 it has the end instead of a comma or )'],
    ['env in (prod stage)', 'at character 14 it has "s" instead of a comma or )'],
    ['a>1', 'at character 2 it has ">" instead of a comma'],
    ['"team', 'at character 1 it has "\\"" instead of the key of a label'],
    ['"\\x"', 'at character 1 it has "\\"" instead of a JSON string'],
  ] as const) {
    const problem = parseLabelSelector(text)
    assert.ok(typeof problem === 'string', text)
    assert.ok(problem.endsWith(reason), `${text}: ${problem}`)
  }
})

test('a selector has at most 64 requirements', () => {
  const ofSize = (size: number) => Array(size).fill('team').join()
  assert.equal(selects(ofSize(REQUIREMENTS_MAX), LABELS), true)
  assert.equal(parseLabelSelector(ofSize(REQUIREMENTS_MAX + 1)), 'must have at most 64 requirements')
})

test('any requirements on any labels, written with quotes, select what they say', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ',', '=', '!', '(', ')', '"', '\\', ' ', 'é') })
  const key = text.filter((name) => name !== '')
  const quoted = (value: string) => JSON.stringify(value)
  const requirement = fc.oneof(
    key.map((name): [string, LabelSelector] => [quoted(name), (labels) => Object.hasOwn(labels, name)]),
    key.map((name): [string, LabelSelector] => [
      `!${quoted(name)}`,
      (labels) => !Object.hasOwn(labels, name),
    ]),
    fc
      .tuple(key, text)
      .map(([name, value]): [string, LabelSelector] => [
        `${quoted(name)}=${quoted(value)}`,
        (labels) => labels[name] === value,
      ]),
    fc
      .tuple(key, text)
      .map(([name, value]): [string, LabelSelector] => [
        `${quoted(name)} != ${quoted(value)}`,
        (labels) => labels[name] !== value,
      ]),
    fc
      .tuple(key, fc.array(text, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([name, values, isIn]): [string, LabelSelector] => [
        `${quoted(name)} ${isIn ? 'in' : 'notin'} (${values.map(quoted).join(', ')})`,
        (labels) => (Object.hasOwn(labels, name) && values.includes(labels[name]!)) === isIn,
      ]),
  )
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), fc.dictionary(key, text), (requirements, labels) => {
      const expected = requirements.every(([, holds]) => holds(labels))
      assert.equal(selects(requirements.map(([written]) => written).join(), labels), expected)
    }),
  )
})

test('any text is read or refused, and never ends the program', () => {
  const part = fc.constantFrom('a', 'in', 'notin', ',', '=', '!', '(', ')', '"', '\\', ' ', '<', '\n', '🦊')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const selector = parseLabelSelector(parts.join(''))
      if (typeof selector === 'function') selector({ a: 'a' })
      else assert.match(selector, /^must be a label selector/)
    }),
    { numRuns: 1_000 },
  )
})
