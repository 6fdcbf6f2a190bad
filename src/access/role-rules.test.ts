import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchingRule, parseRoleRules, RoleRuleError } from './role-rules.ts'

test('a rule names a value, a role and perhaps a prefix; comments and empty lines are left out', () => {
  const lines = ['# who', '', ' admins -> admin ', 'CN=ci,O=A -> B -> writer:team-a/: x', 'a->reader']
  assert.deepEqual(parseRoleRules(lines), [
    { value: 'admins', role: 'admin', prefix: '' },
    { value: 'CN=ci,O=A -> B', role: 'writer', prefix: 'team-a/: x' },
    { value: 'a', role: 'reader', prefix: '' },
  ])
})

test('what is no rule is refused', () => {
  for (const line of ['admins', '-> admin', 'x -> none', 'x -> root', 'x -> writer:', 'x -> ', 'x = admin']) {
    assert.throws(() => parseRoleRules([line]), RoleRuleError, line)
  }
  assert.throws(() => parseRoleRules(['# nothing']), /there is no rule/)
})

test('of several rules that fit, the first counts', () => {
  const rules = parseRoleRules(['a -> reader', 'b -> admin'])
  assert.equal(matchingRule(rules, new Set(['b', 'a']))?.role, 'reader')
  assert.equal(matchingRule(rules, new Set(['c'])), undefined)
})
