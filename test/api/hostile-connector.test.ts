/**
 * Commands and a connector that puts control characters into its answers, as one behind a name that was taken
 * over might. They must not reach the terminal: they could clear it, hide lines, or type for the user.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Output } from '../../src/cli/output.ts'
import { readableLines } from '../../src/cli/up/readable-line.ts'
import { cohort } from './run-command.ts'
import { testApp } from './test-app.ts'

/** A colour that no table of ours has. */
const RED = '\u001b[31m'
/** Clears the screen in both ways, goes to the start of the line, rings, and begins a line of its own. */
const POISON = `\u001b[2J\u009b2J${RED}\r\u0007\u007f\nHEALTHY`
const CONTROL = /[^\P{Cc}\n]/u

/** The fields whose text decides what a command does stay as they are. */
const MEANT = new Set(['code', 'outcome', 'status', 'kind', 'type', 'next'])

/** Figures that a table shows as they are: a connector may send text in their place. */
const LISTED = new Set(['epoch', 'lag', 'records', 'version', 'generation', 'tombstones', 'stubs'])

function poisoned(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return MEANT.has(name) ? value : value + POISON
  if (typeof value === 'number') return LISTED.has(name) ? `${value}${POISON}` : value
  if (Array.isArray(value)) return value.map((item) => poisoned(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [name === 'labels' ? key + POISON : key, poisoned(part, key)]),
  )
}

async function hostileConnector(t: TestContext): Promise<string> {
  const { app } = testApp()
  app.addHook('onSend', async (_request, reply, payload) => {
    if (typeof payload !== 'string' || !/json/.test(String(reply.getHeader('content-type')))) return payload
    const text = JSON.stringify(poisoned(JSON.parse(payload)))
    reply.header('content-length', Buffer.byteLength(text))
    return text
  })
  t.after(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

test('no command prints control characters that a connector has answered', async (t) => {
  const url = await hostileConnector(t)
  let lines = 0
  for (const args of [
    ['create', 'g', '--description', 'd', '--label', 'a=b'],
    ['create', 'g'],
    ['get', 'g'],
    ['get', 'g', '--json'],
    ['get', 'none', '--json'],
    ['update', 'g', '--description', 'e'],
    ['member', 'add', 'g', 'm'],
    ['member', 'check', 'g', 'm'],
    ['members', 'g'],
    ['members', 'g', '--ids'],
    ['groups-of', 'm'],
    ['list'],
    ['list', '--ids'],
    ['list', '--json'],
    ['list', '--labels', '!'],
    ['replicas', 'g'],
    ['status'],
    ['status', '--json'],
    ['key', 'create', '--name', 'ci', '--role', 'reader'],
    ['key', 'list'],
    ['key', 'list', '--json'],
    ['members', 'none'],
    ['member', 'remove', 'g', 'm'],
    ['delete', 'g'],
  ]) {
    for (const hasColours of [false, true]) {
      const { stdout, stderr } = await cohort([...args, '--url', url], {}, { hasColours })
      const printed = stdout + stderr
      assert.ok(printed !== '', args.join(' '))
      assert.doesNotMatch(hasColours ? stripVTControlCharacters(printed) : printed, CONTROL, args.join(' '))
      assert.ok(!printed.includes(RED), args.join(' '))
      // A line of the connector's own would be believed.
      assert.doesNotMatch(printed, /^HEALTHY$/m, args.join(' '))
      lines += printed.split('\\u001b').length - 1
    }
  }
  assert.ok(lines > 40, `only ${lines} escaped texts were printed`)
})

test('control characters in a line of a log do not reach the terminal of `cohort up`, colours do', () => {
  const line = JSON.stringify({ level: 30, time: 0, peer: `a${POISON}`, msg: `b${POISON}` })
  for (const hasColours of [false, true]) {
    let printed = ''
    const write = (text: string) => {
      printed += text
    }
    const destination = { write, writeAll: async () => {}, flush: async () => true, error: undefined }
    const terminal = { isTerminal: true, columns: 80, rows: 24, hasColours }
    new Output(destination, terminal).write(readableLines({ colorize: hasColours })(line))
    assert.doesNotMatch(stripVTControlCharacters(printed), CONTROL)
    assert.doesNotMatch(printed, /(?!\p{Cc}\[\d+m)[^\P{Cc}\n]/u)
    assert.equal(stripVTControlCharacters(printed) !== printed, hasColours)
  }
})
