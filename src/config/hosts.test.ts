import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, whyUnreachable } from '../process/address.ts'
import { anyText } from '../testing/text-arbitraries.ts'
import { parseHosts } from './hosts.ts'

function hostsOf(text: string): readonly string[] {
  const result = parseHosts(text)
  assert.equal(result.kind, 'hosts', `${text}: ${JSON.stringify(result)}`)
  return result.kind === 'hosts' ? result.hosts : []
}

function problemOf(text: string): string {
  const result = parseHosts(text)
  assert.equal(result.kind, 'problem', `${text}: ${JSON.stringify(result)}`)
  return result.kind === 'problem' ? result.problem : ''
}

test('hosts are separated by commas, by white space, or by both', () => {
  const expected = ['a:1', 'b:2', 'c:3']
  for (const text of ['a:1,b:2,c:3', 'a:1 b:2 c:3', ' a:1 ,\tb:2,\n\nc:3, ', 'a:1,,b:2,c:3']) {
    assert.deepEqual(hostsOf(text), expected)
  }
})

test('the old http:// form, with or without a trailing slash, means the same', () => {
  assert.deepEqual(hostsOf('http://node1:8001/ HTTP://node2:8001 node3:8001/'), [
    'node1:8001',
    'node2:8001',
    'node3:8001',
  ])
})

test('IPv6 addresses come in brackets and leave in their shortest form', () => {
  assert.deepEqual(hostsOf('[::1]:8001'), ['[::1]:8001'])
  assert.deepEqual(hostsOf('http://[0:0:0:0:0:0:0:1]:8001/'), ['[::1]:8001'])
  assert.match(problemOf('::1:8001'), /host:port/)
  assert.match(problemOf('[::g]:8001'), /host:port/)
})

test('one host, and three to seven, make a cluster; two are refused with the reason', () => {
  const some = (count: number) => Array.from({ length: count }, (_, index) => `n${index}:1`).join()
  for (const count of [1, 3, 4, 5, 6, 7]) assert.equal(hostsOf(some(count)).length, count)
  for (const count of [0, 8, 9]) assert.match(problemOf(some(count)), new RegExp(`3 to 7, got ${count}$`))
  assert.match(problemOf(some(2)), /got 2: two nodes do not survive the loss of either/)
})

test('a text that is not host:port is refused, and the message quotes it', () => {
  const bad = [
    'a',
    'a:',
    ':1',
    'a:0',
    'a:65536',
    'a:1:2',
    'a:x',
    'https://a:1',
    'a:1/path',
    'u@a:1',
    'a:1?q',
    'http://a',
  ]
  for (const text of [...bad, '300.1.1.1:1', '1.2.3:1', '-a:1', 'a..b:1', 'ä:1']) {
    assert.match(problemOf(`x:1,y:1,${text}`), /host:port/)
    assert.ok(problemOf(`x:1,y:1,${text}`).includes(JSON.stringify(text)), text)
  }
})

test('an address that no other machine can reach is refused, in whichever form', () => {
  for (const text of [
    '0.0.0.0:1',
    'http://0.0.0.0:1/',
    '[::]:1',
    '[0::0]:1',
    '[::ffff:0.0.0.0]:1',
    '0.1.2.3:1',
  ]) {
    assert.match(problemOf(text), /as others reach it, got \S+, which stands for all addresses of a machine/)
  }
  for (const text of ['224.0.0.1:1', '255.255.255.255:1', '[ff02::1]:1']) {
    assert.match(problemOf(text), /which stands for many machines at once/)
  }
  assert.match(problemOf('[fe80::1]:1'), /which means another machine on each network/)
})

test('a host that is named twice is refused, in whichever form', () => {
  for (const [a, b] of [
    ['a:1', 'A:1'],
    ['a:1', 'http://a:1/'],
    ['localhost:1', '127.0.0.1:1'],
    ['[::1]:1', '[0::1]:1'],
    ['a:1', 'a:01'],
  ]) {
    assert.match(problemOf(`${a},other:1,${b}`), /each node once/)
  }
  assert.equal(hostsOf('a:1,a:2,a:3').length, 3)
})

const hostName = fc
  .array(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/), { minLength: 1, maxLength: 3 })
  .map((parts) => `n${parts.join('.')}`)
const address = fc
  .tuple(fc.oneof(hostName, fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => formatAddress(host, port))
  .filter((text) => whyUnreachable(text) === undefined)

test('any three different addresses are read back, whatever stands between and around them', () => {
  const separator = fc.constantFrom(',', ' ', '\n', ', ', ' ,\t')
  const dress = fc.constantFrom(
    (text: string) => text,
    (text: string) => `http://${text}`,
    (text: string) => `http://${text}/`,
  )
  const hosts = fc.uniqueArray(address, { minLength: 3, maxLength: 7, selector: (text) => hostsOf(text)[0] })
  fc.assert(
    fc.property(hosts, separator, dress, (list, between, dressed) => {
      const found = hostsOf(list.map(dressed).join(between))
      assert.deepEqual(
        found,
        list.flatMap((text) => hostsOf(text)),
      )
      // Reading the result again gives the same.
      assert.deepEqual(hostsOf(found.join()), found)
    }),
  )
})

test('any text gives hosts that keep the rules, or a problem: never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(anyText(), fc.string({ unit: fc.constantFrom(...'a:1,[]/.h ') })), (text) => {
      const result = parseHosts(text)
      if (result.kind === 'problem') return assert.match(result.problem, /^must name/)
      assert.ok(result.hosts.length === 1 || (result.hosts.length >= 3 && result.hosts.length <= 7))
      for (const host of result.hosts) assert.match(host, /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+):\d{1,5}$/)
    }),
  )
})
