import { requireAdvertiser } from '../auth.ts';
import { reads, writes } from '../declared.ts';
import { bcOfLibrary, fieldsOfForm, type Lead, leadMeta, leadsOf, libraryId, makeLead } from '../leads.ts';
import { page } from '../paging.ts';
import { advertiserId, paging } from '../params.ts';
import { given, missing, owned } from '../rules.ts';
import { type Call, type Endpoint, type Native, RawAnswer, TikTokError } from '../types.ts';
import { requireBcMember } from './bc-access.ts';

/**
 * Leads: page/field/get, page/lead/task (one endpoint creates and polls), its download, test leads, lead/get,
 * lead/field/get, libraries of forms. Facts: an independent transcription of the reference; columns of the file and the
 * time that a task takes are (unverified).
 */

/** Permission to read leads and to make test leads: either is enough for reads. */
const READ = ['12010100', '12020100'];
const CSV = 'text/csv; charset=utf-8';

interface LeadTask {
  id: string;
  page_id: string | null;
  ad_id: string | null;
  advertiser_id: string | null;
  library_id: string | null;
  /** Epoch milliseconds. */
  created: number;
  delay: number;
}

const tasks = (call: Call) => call.world.store.collection<LeadTask>('lead_tasks');

/**
 * Which forms the call may see: those of its ad account, or those in a library of a Business Center. Of a library, the
 * user must be a member. @throws TikTokError 40002 neither is named; 40001
 */
export function formsOf(call: Call): Native[] {
  const { world, params } = call;
  if (given(params, 'library_id')) {
    const library = String(params['library_id']);
    const bc = bcOfLibrary(world, library);
    if (bc === undefined) throw new TikTokError(40001, `No permission to operate library ${library}.`);
    requireBcMember(call, bc);
    return [...world.pages.values()].filter((row) => row['library_id'] === library);
  }
  if (!given(params, 'advertiser_id')) missing('advertiser_id');
  return [...world.pages.by('advertiser', String(params['advertiser_id']))];
}

function formOf(call: Call): Native {
  const form = formsOf(call).find(({ id }) => id === call.params['page_id']);
  if (!form) throw new TikTokError(40007, `The page ${String(call.params['page_id'])} does not exist.`);
  return form;
}

const answer = (call: Call, lead: Lead) => ({ lead_data: lead.values, meta_data: leadMeta(call.world, lead) });

function fields(call: Call): unknown {
  const form = formOf(call);
  return {
    fields: fieldsOfForm(form),
    meta: {
      page_id: form.id,
      create_time: form['create_time'],
      page_name: form['title'],
      page_url: `${call.origin}/media/post/${form.id}.png`,
    },
  };
}

const wanted = (call: Call) => (lead: Lead) =>
  !given(call.params, 'lead_source') || lead.lead_source === call.params['lead_source'];

/** The newest lead of a form. That it is this one is (unverified). */
function getLead(call: Call): unknown {
  const lead = leadsOf(call.world).by('page', formOf(call).id).filter(wanted(call)).at(-1);
  if (!lead) throw new TikTokError(40007, `The page ${String(call.params['page_id'])} has no leads.`);
  return answer(call, lead);
}

const testLead = (call: Call): Lead | undefined =>
  leadsOf(call.world)
    .by('page', formOf(call).id)
    .filter(wanted(call))
    .findLast(({ test }) => test);

/** A form has one test lead; a second one is refused until the first is deleted (unverified). */
function createTest(call: Call): unknown {
  const form = formOf(call);
  if (testLead(call)) throw new TikTokError(40002, `The page ${form.id} has a test lead already. Delete it first.`);
  const source = call.params['lead_source'];
  const lead = makeLead(call.world, form, {
    test: true,
    ...(source === 'DIRECT_MESSAGE' ? { lead_source: 'DIRECT_MESSAGE' } : {}),
  });
  return answer(call, lead);
}

function requireTest(call: Call): Lead {
  const lead = testLead(call);
  if (!lead) throw new TikTokError(40007, `The page ${String(call.params['page_id'])} has no test lead.`);
  return lead;
}

function statusOf(task: LeadTask, now: number): 'CREATED' | 'RUNNING' | 'SUCCEED' {
  const age = now - task.created;
  if (age < task.delay / 2) return 'CREATED';
  return age < task.delay ? 'RUNNING' : 'SUCCEED';
}

const taskView = (task: LeadTask, now: number) => ({
  task_id: task.id,
  status: statusOf(task, now),
  file_name: `leads_${task.page_id ?? task.ad_id}.csv`,
  file_type: 'CSV',
});

function foundTask(call: Call): LeadTask {
  const task = tasks(call).get(String(call.params['task_id']));
  const mine =
    task &&
    (given(call.params, 'library_id')
      ? task.library_id === call.params['library_id']
      : task.advertiser_id === call.params['advertiser_id']);
  if (!task || !mine) throw new TikTokError(40007, `The task ${String(call.params['task_id'])} does not exist.`);
  formsOf(call);
  return task;
}

function leadTask(call: Call): unknown {
  const { world, params } = call;
  if (given(params, 'task_id')) return taskView(foundTask(call), call.now.getTime());
  const forms = formsOf(call);
  const text = (name: string) => (given(params, name) ? String(params[name]) : null);
  if (text('page_id') === null && text('ad_id') === null) missing('page_id');
  if (text('page_id') !== null && !forms.some(({ id }) => id === params['page_id'])) {
    throw new TikTokError(40007, `The page ${String(params['page_id'])} does not exist.`);
  }
  if (text('page_id') === null) owned(world.ads, 'ad', params['ad_id'], String(params['advertiser_id']));
  const task: LeadTask = {
    id: world.nextId(),
    page_id: text('page_id'),
    ad_id: text('ad_id'),
    advertiser_id: text('advertiser_id'),
    library_id: text('library_id'),
    created: call.now.getTime(),
    delay: world.settings.report_delay_ms,
  };
  tasks(call).put(task);
  return taskView(task, call.now.getTime());
}

const cell = (value: unknown) => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Leads up to the moment of the task, as CSV. */
function download(call: Call): unknown {
  const { world } = call;
  const task = foundTask(call);
  const status = statusOf(task, call.now.getTime());
  if (status !== 'SUCCEED') throw new TikTokError(40201, `The task is not ready. Status: ${status}.`);
  const ofForm = task.page_id !== null;
  const leads = (
    ofForm ? leadsOf(world).by('page', task.page_id!) : leadsOf(world).by('advertiser', String(task.advertiser_id))
  ).filter((lead) => lead.created <= task.created && (task.ad_id === null || lead.ad_id === task.ad_id));
  const names = [...new Set(leads.flatMap((lead) => Object.keys(lead.values)))];
  const form = ofForm ? world.pages.get(task.page_id!) : undefined;
  const columns = names.length > 0 ? names : form ? fieldsOfForm(form) : [];
  const meta = leads.map((lead) => leadMeta(world, lead));
  const head = ['lead_id', 'create_time', 'page_id', 'campaign_id', 'campaign_name', 'adgroup_id', 'adgroup_name'];
  const metaColumns = [...head, 'ad_id', 'ad_name'] as (keyof ReturnType<typeof leadMeta>)[];
  const lines = [
    [...metaColumns, ...columns],
    ...leads.map((lead, i) => [
      ...metaColumns.map((name) => meta[i]![name]),
      ...columns.map((name) => lead.values[name]),
    ]),
  ];
  const file = taskView(task, call.now.getTime()).file_name;
  call.setHeader('content-disposition', `attachment; filename="${file}"`);
  return new RawAnswer(200, CSV, `${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`);
}

function libraries(call: Call): unknown {
  const { world } = call;
  const roles = world.users.get(call.grant!.user_id)?.bc_roles ?? {};
  const rows = [...world.businessCenters.values()].filter(({ id }) => roles[id]);
  const { list, page_info } = page(rows, call, 100);
  const opened = world.stamp(new Date(Date.UTC(2025, 0, 1)));
  return {
    list: list.map((bc) => ({
      library_id: libraryId(bc.id),
      library_name: `${bc.name} forms`,
      advertiser_id: null,
      create_time: opened,
      update_time: opened,
    })),
    page_info,
  };
}

/** Moves all forms of an ad account into the library of a Business Center. */
function transfer(call: Call): unknown {
  const bc = requireBcMember(call, String(call.params['bc_id']), true);
  const account = String(call.params['advertiser_id']);
  requireAdvertiser(call, account, true);
  const library_id = libraryId(bc.id);
  const forms = call.world.pages.by('advertiser', account);
  call.world.pages.putAll(forms.map((row) => ({ ...row, library_id, transfer_status: 'TRANSFERRED' })));
  return { library_id };
}

/** Leads and their forms. */
export const endpoints: Endpoint[] = [
  reads('page/field/get', fields),
  reads('lead/field/get', fields, { scopes: READ }),
  reads('lead/get', getLead, { scopes: READ }),
  writes('page/lead/task', leadTask, { scopes: READ, write: false }),
  reads('page/lead/task/download', download, { scopes: READ }),
  writes('page/lead/mock/create', createTest),
  reads('page/lead/mock/get', (call) => answer(call, requireTest(call))),
  {
    method: 'POST',
    path: 'page/lead/mock/delete',
    auth: 'token',
    write: true,
    // Only the path is documented; it takes what its siblings take (unverified).
    params: [
      { ...advertiserId, required: false },
      { name: 'library_id', type: 'string' },
      { name: 'page_id', type: 'string', required: true },
    ],
    handle(call) {
      leadsOf(call.world).delete(requireTest(call).id);
      return {};
    },
  },
  {
    method: 'GET',
    path: 'page/library/get',
    auth: 'token',
    scopes: ['12000000', '12010100', '12020100'],
    params: paging,
    handle: libraries,
  },
  writes('page/library/transfer', transfer, { scopes: ['12000000', '12010100', '12020100'] }),
];
