/** Audiences: made from lists, rules and other audiences, filled by stream, used, shared, deleted. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let app: TestApp;
let connection: string;
let org: string;
let other: string;

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual', tap: true });
  connection = (await app.connect()).get('id') as string;
  const accounts = await app.ok('GET', `/ads/${connection}/organization`);
  [org, other] = accounts.filter((row: Json) => row.status === 'ACTIVE').map((row: Json) => row.id);
});
afterAll(() => app.close());

const root = (): string => `/ads/${connection}/audience`;
const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n');

/** Sends lines, answers lines. */
async function send(path: string, body: BodyInit): Promise<{ status: number; rows: Json[] }> {
  const answer = await fetch(`${app.url}${path}`, {
    method: 'POST',
    headers: { authorization: app.key, 'content-type': 'application/x-ndjson' },
    body,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
  const text = await answer.text();
  return {
    status: answer.status,
    rows: text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  };
}

describe('a streamed audience', () => {
  let id: string;

  it('is made empty', async () => {
    const made = await app.ok('POST', `${root()}?org_id=${org}`, { name: 'VIP', type: 'STREAM', organization_id: org });
    expect(made).toMatchObject({ name: 'VIP', type: 'STREAM', organization_id: org });
    id = made.id;
  });

  it('takes members: normalised, hashed, never hashed twice; what cannot be matched is told by line', async () => {
    const mapping = app.tap.watch('/segment/mapping');
    const digest = sha256('bob@example.com');
    const { status, rows } = await send(
      `${root()}/${id}/members?org_id=${org}`,
      lines([
        { email: ' Alice_ABC@gmail.com ', phone: '+1 (213) 373-4253' },
        { email: digest.toUpperCase() },
        { phone: '0049 30 1234' },
        'no json',
        { nickname: 'x' },
      ]),
    );
    expect(status).toBe(200);
    expect(rows).toEqual([
      { batch: 1, members: 2 },
      { summary: { received: 5, sent: 2, skipped: 3, failed: 0, complaints: expect.any(Array) } },
    ]);
    expect(rows[1].summary.complaints.map(({ line }: Json) => line)).toEqual([3, 3, 4, 5]);
    expect(JSON.stringify(rows)).not.toContain('1234');
    const [sent] = mapping.bodies;
    expect(sent).toMatchObject({ action: 'add', id_schema: ['EMAIL_SHA256', 'PHONE_SHA256'] });
    // The official vectors.
    expect(sent.batch_data[0].map((cell: Json) => cell.id)).toEqual([
      '848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f',
      '9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd',
    ]);
    expect(sent.batch_data[1]).toEqual([{ id: digest, audience_ids: [id] }, {}]);
  });

  it('goes on after a batch that the platform refuses', async () => {
    await app.control('POST', '/faults', { kind: 'server_error', path: '/segment/mapping', times: 4 });
    const { rows } = await send(
      `${root()}/${id}/members?org_id=${org}`,
      lines(Array.from({ length: 2_500 }, (_, index) => ({ email: `p${index}@example.com` }))),
    );
    await app.control('DELETE', '/faults');
    expect(rows.slice(0, 3).map((row) => row.members)).toEqual([1000, 1000, 500]);
    const failed = rows.filter((row) => row.error !== undefined);
    expect(rows.at(-1).summary).toMatchObject({
      received: 2_500,
      failed: failed.reduce((sum, row) => sum + row.members, 0),
    });
    expect(rows.at(-1).summary.sent + rows.at(-1).summary.failed).toBe(2_500);
  });

  it('gives members up, and is not replaced as a whole', async () => {
    const mapping = app.tap.watch('/segment/mapping');
    await send(`${root()}/${id}/members?org_id=${org}&action=remove`, lines([{ email: 'p1@example.com' }]));
    expect(mapping.bodies[0]).toMatchObject({ action: 'delete' });
    const refused = await send(
      `${root()}/${id}/members?org_id=${org}&action=replace`,
      lines([{ email: 'a@b.example' }]),
    );
    expect(refused.status).toBe(405);
    expect(refused.rows[0].code).toBe('method_unsupported');
  });

  it('nothing of a person reaches log lines or the call log', async () => {
    const calls = await app.ok('GET', '/unified/apicall?limit=100');
    for (const text of [app.lines.join('\n'), JSON.stringify(calls)]) {
      expect(text).not.toContain('p1@example.com');
      expect(text.toLowerCase()).not.toContain('alice_abc');
    }
  });

  it('is deleted', async () => {
    await app.ok('DELETE', `${root()}/${id}?org_id=${org}`);
    expect((await app.call('GET', `${root()}/${id}?org_id=${org}`)).body.code).toBe('platform_not_found');
  });
});

describe('an audience from a list', () => {
  let id: string;

  it('is made while the list is read', async () => {
    await app.clearLog();
    const created = app.tap.watch('/dmp/custom_audience/create');
    const count = 120_000;
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= count) return controller.close();
        const rows = Array.from({ length: 5_000 }, () => ({ email: `person${at++}@example.com` }));
        controller.enqueue(new TextEncoder().encode(`${lines(rows)}\n`));
      },
    });
    const { status, rows } = await send(
      `${root()}/from_file?org_id=${org}&name=Customers&identifier=email&retention_days=90`,
      body,
    );
    expect(status).toBe(200);
    expect(rows[0]).toMatchObject({ name: 'Customers', type: 'FILE', identifiers: ['EMAIL'], organization_id: org });
    expect(rows[0].members).toMatchObject({ received: count, sent: count, skipped: 0, failed: 0 });
    id = rows[0].id;
    expect(await app.requests('/dmp/custom_audience/file/upload')).toHaveLength(2);
    expect(created.bodies[0]).toMatchObject({
      calculate_type: 'EMAIL_SHA256',
      retention_in_days: 90,
      file_paths: [expect.any(String), expect.any(String)],
    });
  }, 60_000);

  it('is ready after a while, with a size', async () => {
    app.advance(48 * 3_600_000);
    const found = await app.ok('GET', `${root()}/${id}?org_id=${org}`);
    expect(found.availability).toBe('READY');
    expect(found.size).toBeGreaterThan(1_000);
    const list = await app.ok('GET', `${root()}?org_id=${org}&type=FILE`);
    expect(list.map((row: Json) => row.id)).toContain(id);
  });

  it('is used in a group, and taken out again', async () => {
    const [group] = await app.ok('GET', `/ads/${connection}/group?org_id=${org}&limit=1`);
    const applied = app.tap.watch('/dmp/custom_audience/apply');
    await app.ok('POST', `${root()}/${id}/apply?org_id=${org}`, { group_ids: [group.id], usage: 'exclude' });
    expect(applied.bodies[0]).toMatchObject({
      action_mode: 'Apply',
      usage_mode: 'Exclude',
    });
    await app.ok('POST', `${root()}/${id}/apply?org_id=${org}`, { group_ids: [group.id], action: 'disconnect' });
    const wrong = await app.call('POST', `${root()}/${id}/apply?org_id=${org}`, { group_ids: [] });
    expect(wrong.body.code).toBe('input_invalid');
  });

  it('has members added, taken out and replaced by file', async () => {
    const updated = app.tap.watch('/dmp/custom_audience/update');
    for (const action of ['add', 'remove', 'replace']) {
      const { rows } = await send(
        `${root()}/${id}/members?org_id=${org}&action=${action}`,
        lines([{ email: 'new@example.com' }]),
      );
      expect(rows[0]).toEqual({ batch: 1, members: 1 });
    }
    expect(updated.bodies.map(({ action }) => action)).toEqual(['APPEND', 'REMOVE', 'REPLACE']);
  });

  it('is shared and taken back', async () => {
    await app.ok('POST', `${root()}/${id}/share?org_id=${org}`, { organization_ids: [other] });
    expect((await app.ok('GET', `${root()}/${id}?org_id=${org}`)).shared).toBe(true);
    await app.ok('POST', `${root()}/${id}/share?org_id=${org}`, { organization_ids: [other], action: 'cancel' });
  });

  it('is the source of a lookalike', async () => {
    const made = await app.ok('POST', `${root()}?org_id=${org}`, {
      name: 'Like customers',
      type: 'LOOKALIKE',
      lookalike: { source_id: id, location_ids: ['6252001'], reach: 'NARROW' },
    });
    expect(made).toMatchObject({ type: 'LOOKALIKE', lookalike: { source_id: id, reach: 'NARROW' } });
    const wrong = await app.call('POST', `${root()}?org_id=${org}`, { name: 'x', type: 'LOOKALIKE' });
    expect(wrong.body.code).toBe('input_field_required');
    const members = await send(`${root()}/${made.id}/members?org_id=${org}`, lines([{ email: 'a@b.example' }]));
    expect(members.rows[0].code).toBe('method_unsupported');
  });

  it('of nobody is not made', async () => {
    await app.clearLog();
    const { status, rows } = await send(
      `${root()}/from_file?org_id=${org}&name=x&identifier=phone`,
      lines([{ email: 'a@b.example' }]),
    );
    expect(status).toBe(400);
    expect(rows[0].code).toBe('input_invalid');
    expect(await app.requests('/dmp/custom_audience/create')).toEqual([]);
  });
});
