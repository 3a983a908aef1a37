// One patient's pages: chart, messages, and lists such as orders and prescriptions.
import { DefaultResourceTimeline, LinkTabs, MedplumLink, PatientHeader, SearchControl } from '@medplum/react';
import { Outlet, useNavigate, useParams } from 'react-router';
import { Inbox } from './inbox.jsx';

const TABS = ['timeline', 'Communication', 'ServiceRequest', 'MedicationRequest', 'Encounter', 'DocumentReference'];

export function PatientFrame() {
  const { patientId } = useParams();
  return (
    <>
      <PatientHeader patient={{ reference: `Patient/${patientId}` }} />
      <LinkTabs baseUrl={`/Patient/${patientId}`} tabs={TABS} />
      <Outlet />
    </>
  );
}

export function Chart() {
  const { patientId } = useParams();
  return <DefaultResourceTimeline resource={{ reference: `Patient/${patientId}` }} />;
}

export function PatientInbox() {
  const { patientId } = useParams();
  return <Inbox base={`/Patient/${patientId}`} subject={`Patient/${patientId}`} />;
}

export function PatientResources() {
  const { patientId, resourceType } = useParams();
  const navigate = useNavigate();
  const filters = [{ code: 'subject', operator: 'eq', value: `Patient/${patientId}` }];
  return (
    <SearchControl
      search={{ resourceType, filters, fields: ['id', '_lastUpdated'] }}
      onClick={({ resource }) => navigate(`/Patient/${patientId}/${resourceType}/${resource.id}`)}
    />
  );
}
