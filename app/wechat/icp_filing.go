package wechat

// Filing is an application for the 备案, or the one that stands (02 I.1). Photos, letters and videos are media ids of
// UploadFilingMedia.
type Filing struct {
	Subject   FilingSubject    `json:"icp_subject"`
	Applet    FilingApplet     `json:"icp_applets"`
	Materials *FilingMaterials `json:"icp_materials,omitempty"`
}

// FilingSubject is who the mini program belongs to.
type FilingSubject struct {
	Base         FilingSubjectBase   `json:"base_info"`
	Personal     *FilingPersonal     `json:"personal_info,omitempty"`
	Organisation *FilingOrganisation `json:"organize_info,omitempty"` // all but persons
	Principal    FilingPrincipal     `json:"principal_info"`
	LegalPerson  *FilingLegalPerson  `json:"legal_person_info,omitempty"` // when the principal is another person
}

// FilingSubjectBase names the subject. Districts are codes of FilingDistricts; Address stands without them.
type FilingSubjectBase struct {
	Type         int    `json:"type"`
	Name         string `json:"name"`
	Province     string `json:"province"`
	City         string `json:"city"`
	District     string `json:"district"`
	Address      string `json:"address"`
	Comment      string `json:"comment,omitempty"`
	RecordNumber string `json:"record_number,omitempty"` // in answers only
}

// FilingPersonal is for a person who files outside the home province.
type FilingPersonal struct {
	ResidencePermit string `json:"residence_permit"`
}

// FilingOrganisation is the subject's certificate.
type FilingOrganisation struct {
	CertificateType    int    `json:"certificate_type"`
	CertificateNumber  string `json:"certificate_number"`
	CertificateAddress string `json:"certificate_address"`
	CertificatePhoto   string `json:"certificate_photo"`
}

// FilingPrincipal is the 负责人 of the subject or of the mini program.
type FilingPrincipal struct {
	Name                string `json:"name"`
	Mobile              string `json:"mobile"`
	Email               string `json:"email"`
	EmergencyContact    string `json:"emergency_contact"` // another phone
	CertificateType     int    `json:"certificate_type"`
	CertificateNumber   string `json:"certificate_number"`
	ValidFrom           string `json:"certificate_validity_date_start"` // YYYYMMDD
	ValidUntil          string `json:"certificate_validity_date_end"`   // YYYYMMDD or 长期
	PhotoFront          string `json:"certificate_photo_front"`
	PhotoBack           string `json:"certificate_photo_back"`
	AuthorizationLetter string `json:"authorization_letter,omitempty"` // when not the legal person
	VerifyTaskID        string `json:"verify_task_id,omitempty"`       // of the mini program's principal: a passed face check
}

// FilingLegalPerson is the legal person.
type FilingLegalPerson struct {
	Name              string `json:"name"`
	CertificateNumber string `json:"certificate_number"`
}

// FilingApplet is the mini program and who answers for it.
type FilingApplet struct {
	Base      FilingAppletBase `json:"base_info"`
	Principal FilingPrincipal  `json:"principal_info"`
}

// FilingAppletBase says what the mini program does. Comment is 20 to 200 characters; WeChat fills in AppID and Name.
type FilingAppletBase struct {
	AppID        string           `json:"appid,omitempty"`
	Name         string           `json:"name,omitempty"`
	ContentTypes []int            `json:"service_content_types"` // second level, up to 5
	Approvals    []FilingApproval `json:"nrlx_details"`          // Type 24 alone when none applies
	Comment      string           `json:"comment"`
	RecordNumber string           `json:"record_number,omitempty"` // in answers only
}

// FilingApproval is a 前置审批.
type FilingApproval struct {
	Type  int    `json:"type"`
	Code  string `json:"code"`
	Media string `json:"media"`
}

// FilingMaterials are further papers: one of each, ten of the two others.
type FilingMaterials struct {
	Commitment         []string `json:"commitment_letter,omitempty"`
	NameChange         []string `json:"business_name_change_letter,omitempty"`
	PartyBuilding      []string `json:"party_building_confirmation_letter,omitempty"`
	PromiseVideo       []string `json:"promise_video,omitempty"`
	Responsibility     []string `json:"authenticity_responsibility_letter,omitempty"`
	Authenticity       []string `json:"authenticity_commitment_letter,omitempty"`
	Construction       []string `json:"website_construction_proposal,omitempty"`
	SubjectOther       []string `json:"subject_other_materials,omitempty"`
	AppletOther        []string `json:"applets_other_materials,omitempty"`
	HoldingCertificate []string `json:"holding_certificate_photo,omitempty"`
}
