/**
 * Connectors and nodes of two versions run side by side during an upgrade, so `node.proto` may grow and must
 * not break. `contract.txtpb` is the contract of the last release; `buf.yaml` has the rules.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PROTO = 'proto/cohort/v1/node.proto'

/**
 * The differences that buf finds between the contract and the `node.proto` in a directory: one sentence for
 * each break.
 */
async function breaksIn(directory: string, contract: string): Promise<string[]> {
  const buf = join(root, 'node_modules/.bin/buf')
  const args = ['breaking', '--error-format', 'json', '--against', contract]
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
    (resolve) =>
      execFile(
        buf,
        args,
        { cwd: directory, env: { ...process.env, BUF_CACHE_DIR: tmpdir() } },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      ),
  )
  // 100: there are breaks. Anything else but 0 is a proto that does not compile, or a buf that does not run.
  assert.ok(code === 0 || code === 100, `buf ended with ${code}: ${stderr}${stdout}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map(({ type, message }) => `${type}: ${message}`)
}

/** A change of the text of `node.proto`. Each `from` must be there exactly once. */
type Edit = Readonly<{ from: string; to: string }>

/**
 * The breaks of an edited copy of `node.proto`, against the contract of `before` (an edited copy as well).
 */
async function breaksOf(edits: readonly Edit[], before: readonly Edit[] = []): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-contract-'))
  try {
    for (const [name, changes] of [
      ['before', before],
      ['after', edits],
    ] as const) {
      await cp(join(root, 'buf.yaml'), join(directory, name, 'buf.yaml'))
      await cp(join(root, 'proto'), join(directory, name, 'proto'), { recursive: true })
      let text = await readFile(join(root, PROTO), 'utf8')
      for (const { from, to } of changes) {
        assert.equal(text.split(from).length, 2, `${PROTO} has "${from}" exactly once: mend this test`)
        text = text.replace(from, () => to)
      }
      await writeFile(join(directory, name, PROTO), text)
    }
    return await breaksIn(join(directory, 'after'), join(directory, 'before'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test('node.proto does not break the contract of the last release', async () => {
  const breaks = await breaksIn(root, 'test/wire-contract/contract.txtpb')
  assert.deepEqual(
    breaks,
    [],
    'an older connector or node would misread this: give a new meaning a new number, and reserve the number and the ' +
      'name of what goes (docs/releasing.md says when a break is allowed)',
  )
})

test('a new field is not a break, and neither is a removed one whose number and name are reserved', async () => {
  const breaks = await breaksOf([
    // A field, a message, a choice and a method more.
    { from: '  bool same_state = 3;\n', to: '  bool same_state = 3;\n  uint64 added = 5;\n' },
    { from: 'message Read {}\n', to: 'message Read {}\n\nmessage Added {\n  string text = 1;\n}\n' },
    { from: '    Drop drop = 8;\n', to: '    Drop drop = 8;\n    Added added = 9;\n' },
    { from: '\nservice Node {\n', to: '\nservice Node {\n  rpc Add(Added) returns (Added);\n' },
    // A field less.
    { from: '  uint64 stub_count = 6;\n', to: '  reserved 6;\n  reserved "stub_count";\n' },
  ])
  assert.deepEqual(breaks, [])
})

// Every break in a message of its own, so that one run of buf tells them apart.
const ENUM = {
  from: 'message Read {}\n',
  to: 'enum Kind {\n  KIND_UNSPECIFIED = 0;\n  KIND_ONE = 1;\n  KIND_TWO = 2;\n}\n\nmessage Read {}\n',
}
const RESERVATION = { from: 'message Member {\n', to: 'message Member {\n  reserved 9;\n' }
const BREAKS: readonly (Edit & Readonly<{ what: string; noticed: RegExp }>)[] = [
  {
    what: 'a number gets another meaning',
    from: '  Ballot promised = 1;\n  // Not set: nothing was accepted.\n',
    to: '  reserved "promised";\n  Ballot vowed = 1;\n',
    noticed: /^FIELD_SAME_NAME: Field "1" on message "Record" changed name from "promised" to "vowed"/,
  },
  {
    what: 'a field gets another number',
    from: '  bool same_state = 3;\n',
    to: '  bool same_state = 5;\n',
    noticed: /^FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED: Previously present field "3" .* on message "Answer"/,
  },
  {
    what: 'a field gets another type',
    from: '  uint64 stub_count = 6;\n',
    to: '  uint32 stub_count = 6;\n',
    noticed: /^FIELD_SAME_TYPE: Field "6" .* on message "DescribeAnswer" changed type/,
  },
  {
    what: 'one value becomes a list',
    from: '  bytes leaves = 5;\n',
    to: '  repeated bytes leaves = 5;\n',
    noticed: /^FIELD_SAME_CARDINALITY: Field "5" .* on message "ScanRequest" changed cardinality/,
  },
  {
    what: 'a field is removed without its number being reserved',
    from: '  repeated Answer answers = 2;\n',
    to: '  reserved "answers";\n',
    noticed:
      /^FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED: Previously present field "2" .* on message "AnswerBatch"/,
  },
  {
    what: 'a field is removed without its name being reserved',
    from: '  repeated uint32 branches = 4;\n',
    to: '  reserved 4;\n',
    noticed:
      /^FIELD_NO_DELETE_UNLESS_NAME_RESERVED: Previously present field "4" .* on message "DigestRequest"/,
  },
  {
    what: 'a number that was reserved is free again',
    // The copy before has `reserved 9` here.
    from: 'message Member {\n',
    to: 'message Member {\n',
    noticed: /^RESERVED_MESSAGE_NO_DELETE: .* on message "Member"/,
  },
  {
    what: 'a message is removed',
    from: 'message Drop {\n  Ballot promised = 1;\n}\n',
    to: 'message Forget {\n  Ballot promised = 1;\n}\n',
    noticed: /^PACKAGE_MESSAGE_NO_DELETE: Previously present message "Drop"/,
  },
  {
    what: 'a field is of a message by another name',
    from: '    Drop drop = 8;\n',
    to: '    Forget drop = 8;\n',
    noticed: /^FIELD_SAME_TYPE: Field "8" .* on message "Request" changed type/,
  },
  {
    what: 'an enum value gets another number',
    from: 'KIND_ONE = 1;\n  KIND_TWO = 2;',
    to: 'KIND_TWO = 1;\n  KIND_ONE = 2;',
    noticed:
      /^ENUM_VALUE_SAME_NAME: Enum value "1" on enum "Kind" changed name from "KIND_ONE" to "KIND_TWO"/,
  },
  {
    what: 'a method answers with something else',
    from: 'rpc Describe(DescribeRequest) returns (DescribeAnswer);',
    to: 'rpc Describe(DescribeRequest) returns (Membership);',
    noticed: /^RPC_SAME_RESPONSE_TYPE: RPC "Describe" .* changed response type/,
  },
  {
    what: 'a method answers once instead of many times',
    from: 'rpc Scan(ScanRequest) returns (stream ScanPage);',
    to: 'rpc Scan(ScanRequest) returns (ScanPage);',
    noticed: /^RPC_SAME_SERVER_STREAMING: RPC "Scan"/,
  },
  {
    what: 'a method is removed',
    from: '  rpc Digest(DigestRequest) returns (DigestAnswer);\n',
    to: '',
    noticed: /^RPC_NO_DELETE: Previously present RPC "Digest"/,
  },
]

test('every kind of break is found', async (t) => {
  const breaks = await breaksOf([ENUM, ...BREAKS], [ENUM, RESERVATION])
  for (const { what, noticed } of BREAKS) {
    await t.test(what, () => {
      assert.ok(
        breaks.some((line) => noticed.test(line)),
        `nothing of what buf says is it:\n${breaks.join('\n')}`,
      )
    })
  }
})
