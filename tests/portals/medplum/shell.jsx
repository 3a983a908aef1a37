// The provider app's routes. What a page shows comes whole from @medplum/react: the shell sets no id, class or
// attribute, so whatever a portal file reads here it reads in Medplum's own screens.
import { Loading, AppShell, Logo } from '@medplum/react';
import { Navigate, Route, Routes, useLocation, useSearchParams } from 'react-router';
import { Chart, PatientFrame, PatientInbox, PatientResources } from './patient.jsx';
import { Inbox } from './inbox.jsx';
import { Resource, Resources } from './resource.jsx';

const MENUS = [
  {
    links: [
      { label: 'Patients', href: '/Patient?_count=20&_fields=name,gender&_sort=-_lastUpdated' },
      { label: 'Messages', href: '/Communication?status=in-progress' },
      { label: 'Tasks', href: '/Task?status=requested' },
    ],
  },
];

export function Shell() {
  const { pathname } = useLocation();
  const [searchParams] = useSearchParams();
  return (
    <AppShell logo={<Logo size={24} />} pathname={pathname} searchParams={searchParams} menus={MENUS} headerSearchDisabled>
      <Routes>
        <Route path="/" element={<Navigate to="/Communication" replace />} />
        <Route path="/Communication" element={<Inbox />} />
        <Route path="/Communication/:messageId" element={<Inbox />} />
        <Route path="/Spaces/Communication/:topicId" element={<Loading />} />
        <Route path="/Fax/Communication/:faxId" element={<Loading />} />
        <Route path="/Patient/:patientId" element={<PatientFrame />}>
          <Route index element={<Chart />} />
          <Route path="timeline" element={<Chart />} />
          <Route path="Communication" element={<PatientInbox />} />
          <Route path="Communication/:messageId" element={<PatientInbox />} />
          <Route path=":resourceType" element={<PatientResources />} />
          <Route path=":resourceType/:id" element={<Resource />} />
        </Route>
        <Route path="/:resourceType" element={<Resources />} />
        <Route path="/:resourceType/:id" element={<Resource />} />
      </Routes>
    </AppShell>
  );
}
