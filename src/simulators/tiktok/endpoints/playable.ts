import { fileById } from '../files.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { invalid, missing, owned } from '../rules.ts';
import type { Call, Endpoint, Native, Param } from '../types.ts';

/**
 * Playable ads: playable/{upload,validate,save,get,delete}. Facts: official yml playable_*. What is uploaded is checked for
 * being a ZIP package; checking it takes a few seconds of the virtual clock (the time is unverified).
 */

const CHECK_MS = 5_000;

const playables = (call: Call) =>
  call.world.store.collection<Native>('playables', { advertiser: (row) => row.advertiser_id });

const named = (call: Call): Native => {
  const row = owned(playables(call), 'playable', call.params['playable_id'], advertiserIdOf(call));
  return row['operation_status'] === 'DELETED' ? invalid(`The playable ${row.id} has been deleted.`) : row;
};

const status = (call: Call, row: Native): string => {
  if (call.now.getTime() < Number(row['_from']) + CHECK_MS) return 'VALIDATING';
  return row['_sound'] === true ? 'VALIDATE_SUCCESS' : 'VALIDATE_FAIL';
};

function upload(call: Call): unknown {
  const way = call.params['upload_type'] ?? 'UPLOAD_BY_FILE';
  if (way !== 'UPLOAD_BY_FILE' && way !== 'UPLOAD_BY_FILE_ID') invalid(`upload_type: Invalid value: ${String(way)}.`);
  const part = call.files.find((file) => file.field === 'playable_package');
  if (way === 'UPLOAD_BY_FILE' && !part) missing('playable_package');
  const source =
    way === 'UPLOAD_BY_FILE_ID' ? fileById(call, advertiserIdOf(call)) : { bytes: part!.content, name: part!.filename };
  const id = call.world.nextId();
  playables(call).put({
    id,
    advertiser_id: advertiserIdOf(call),
    operation_status: 'UPLOADED',
    playable_name: '',
    // ZIP archives begin with these two letters.
    _sound: source.bytes.subarray(0, 2).toString('latin1') === 'PK',
    _from: call.now.getTime(),
    create_time: call.world.stamp(call.now),
  });
  return { task_id: id };
}

const view = (call: Call, row: Native) => ({
  playable_id: row.id,
  playable_url: `${call.origin}/media/post/${row.id}.png`,
  playable_orientation: 'VERTICAL',
  status: status(call, row),
});

function validate(call: Call): unknown {
  const row = named(call);
  const failed = status(call, row) === 'VALIDATE_FAIL';
  return { ...view(call, row), fail_message: failed ? 'The package is not a ZIP archive.' : '' };
}

function save(call: Call): unknown {
  const row = named(call);
  if (status(call, row) !== 'VALIDATE_SUCCESS') {
    invalid(`The playable ${row.id} cannot be saved: its status is ${status(call, row)}.`);
  }
  const after = { ...row, operation_status: 'SAVED', playable_name: call.params['playable_name'] };
  playables(call).put(after);
  return { ...view(call, after), playable_name: after.playable_name };
}

function list(call: Call): unknown {
  const { params } = call;
  const wanted = params['operation_status'] ?? 'SAVED';
  const rows = playables(call)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => row['operation_status'] === wanted)
    .filter((row) => params['playable_id'] === undefined || row.id === params['playable_id'])
    .filter((row) => params['status'] === undefined || status(call, row) === params['status'])
    .filter((row) => String(row['playable_name']).includes(String(params['playable_name'] ?? '')));
  const found = page(rows.toReversed(), call, 500);
  return {
    list: found.list.map((row) => ({
      ...view(call, row),
      playable_name: row['playable_name'],
      operation_status: row['operation_status'],
      create_time: row['create_time'],
    })),
    page_info: found.page_info,
  };
}

const playableId: Param = { name: 'playable_id', type: 'string', required: true, numeric: true };
const write = { method: 'POST', auth: 'token', write: true } as const;
const read = { method: 'GET', auth: 'token' } as const;

/** Playable ads. */
export const endpoints: Endpoint[] = [
  {
    ...write,
    path: 'playable/upload',
    params: [advertiserId, { name: 'upload_type', type: 'string' }, { name: 'file_id', type: 'string' }],
    handle: upload,
  },
  { ...read, path: 'playable/validate', params: [advertiserId, playableId], handle: validate },
  {
    ...write,
    path: 'playable/save',
    params: [advertiserId, playableId, { name: 'playable_name', type: 'string', required: true, min: 1, max: 20 }],
    handle: save,
  },
  {
    ...read,
    path: 'playable/get',
    params: [
      advertiserId,
      { ...playableId, required: false },
      { name: 'playable_url', type: 'string' },
      { name: 'playable_name', type: 'string' },
      {
        name: 'status',
        type: 'string',
        enum: ['AUDIT_FAIL', 'AUDIT_SUCCESS', 'VALIDATE_FAIL', 'VALIDATE_SUCCESS', 'VALIDATING'],
      },
      { name: 'operation_status', type: 'string', enum: ['DELETED', 'SAVED', 'UPLOADED'] },
      ...paging,
    ],
    handle: list,
  },
  {
    ...write,
    path: 'playable/delete',
    params: [advertiserId, playableId],
    handle(call) {
      const row = named(call);
      playables(call).put({ ...row, operation_status: 'DELETED' });
      return { playable_id: row.id };
    },
  },
];
