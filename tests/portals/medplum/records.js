// Fills a MockClient with the resources of data.json: a thread is a header Communication (without partOf) and its
// messages (partOf the header, each inResponseTo the one before), as Medplum keeps them.
import data from './data.json';

/** @returns {object} the Practitioner who is signed in */
export function practitioner() {
  const { id, given, family } = data.practitioner;
  return { resourceType: 'Practitioner', id, name: [{ given: [given], family }] };
}

/** Stores every resource under the id that data.json gives it. @param {import('@medplum/mock').MockClient} medplum */
export async function fill(medplum) {
  await medplum.mock.withSeeding(async () => {
    for (const resource of resources()) {
      await medplum.repo.createResource(resource);
    }
  });
}

function resources() {
  const doctor = practitioner();
  const patients = data.patients.map(({ id, given, family, birthDate, gender }) => ({
    resourceType: 'Patient', id, name: [{ given: [given], family }], birthDate, gender,
  }));
  return [doctor, ...patients, ...data.threads.flatMap((thread) => threadResources(thread, doctor))];
}

function threadResources(thread, doctor) {
  const patient = data.patients.find((one) => one.id === thread.patient);
  const asPatient = { reference: `Patient/${patient.id}`, display: `${patient.given} ${patient.family}` };
  const asDoctor = { reference: `Practitioner/${doctor.id}`, display: `${data.practitioner.given} ${data.practitioner.family}` };
  const header = {
    resourceType: 'Communication', id: thread.id, status: 'in-progress', topic: { text: thread.title },
    subject: asPatient, sender: asPatient, recipient: [asDoctor, asPatient], sent: thread.sent,
  };
  const messages = thread.messages.map((message, index) => ({
    resourceType: 'Communication', id: message.id, status: 'completed', subject: asPatient,
    partOf: [{ reference: `Communication/${thread.id}` }],
    inResponseTo: index ? [{ reference: `Communication/${thread.messages[index - 1].id}` }] : undefined,
    sender: message.from === 'patient' ? asPatient : asDoctor,
    recipient: [message.from === 'patient' ? asDoctor : asPatient],
    sent: message.sent, received: message.sent, payload: [{ contentString: message.text }],
  }));
  return [header, ...messages];
}
